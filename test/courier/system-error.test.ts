import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { errorCode } from '../../maildir/errors.js'
import { refusalOfSystem } from '../../src/courier/system-error.js'
import { refusalFor } from '../../src/store/refusals.js'

/** As Node 20 throws it. */
const overQuota = Object.assign(new Error('Unknown system error -122: write'), {
  errno: -constants.errno.EDQUOT,
  code: 'Unknown system error -122',
})

test('a disk quota that is used up is a full disk, though Node has no name for it', () => {
  expect(refusalOfSystem(overQuota)).toMatchObject({ code: 452, status: '4.3.1' })
  expect(refusalFor(overQuota)).toMatchObject({ code: 452, status: '4.3.1' })
  expect(errorCode(overQuota)).toBe('EDQUOT')
})
