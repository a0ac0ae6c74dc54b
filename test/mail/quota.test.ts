import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatQuota, limiting, parseQuota, UNLIMITED } from '../../src/mail/quota.js'

describe('a quota in settings', () => {
  test.each([
    ['2GB', 2 * 1024 ** 3, null],
    ['50 MB', 50 * 1024 ** 2, null],
    ['1000', 1000, null],
    ['10000 messages', null, 10_000],
    ['2GB, 10000 messages', 2 * 1024 ** 3, 10_000],
    ['10000 messages,1kB', 1024, 10_000],
  ])('%j is that many bytes and messages', (text, bytes, messages) => {
    expect(parseQuota(text)).toEqual({ bytes, messages })
  })

  test('none is no limit', () => {
    expect(parseQuota('none')).toEqual(UNLIMITED)
    expect(limiting(parseQuota('none'))).toBeNull()
  })

  test.each(['', '0', '-1', '2gb', '1.5GB', '1e9', '2GB,', '2GB,3GB', '5 messages, 6 messages'])(
    '%j is none',
    (text) => expect(parseQuota(text)).toBeNull(),
  )

  test('whatever can be written is read back', () => {
    const limit = fc.option(fc.integer({ min: 1, max: 999_999_999_999 }))
    fc.assert(
      fc.property(limit, limit, (bytes, messages) => {
        expect(parseQuota(formatQuota({ bytes, messages }))).toEqual({ bytes, messages })
      }),
    )
  })
})
