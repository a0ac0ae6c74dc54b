import { expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.js'
import { DropMarks } from '../../src/queue/drop-marks.js'
import { MAX_LOOKED } from '../../src/queue/drop-names.js'

const BOB = parseAddress('bob@example.org')!

test('as many messages rest as one round can see: none is tried again at once', () => {
  const marks = new DropMarks(() => 0)
  marks.rest('first', 1, [BOB])
  for (let n = 1; n < MAX_LOOKED; n++) marks.rest(`name ${n}`, 1, [])
  expect(marks.isDue('first')).toBe(false)
  expect(marks.has('first', BOB)).toBe(true)
  marks.rest('one more', 1, [])
  expect(marks.isDue('first')).toBe(true)
})
