import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatAmount, formatSizes, parseSizes } from '../../maildir/size-text.js'

const unlimited = { bytes: null, messages: null }

describe('maildirsize', () => {
  test.each([
    [
      'as Courier writes it',
      '100000S,20C\n           0            0\n          18            1\n',
      18,
      1,
    ],
    ['as Dovecot writes it', '100000S,20C\n8 1\n26 2\n-16 -2\n', 18, 1],
    ['with lines of 14 bytes', '100000S,20C\n      34    3\n     -16   -2\n', 18, 1],
  ])('is read %s', (_, text, bytes, messages) => {
    expect(parseSizes(text)).toMatchObject({
      quota: { bytes: 100_000, messages: 20 },
      usage: { bytes, messages },
    })
  })

  test('a line has 14 bytes as long as its numbers fit', () => {
    expect(formatAmount({ bytes: 1234, messages: 1 })).toHaveLength(14)
    expect(formatAmount({ bytes: -99_999, messages: -1 })).toHaveLength(14)
    expect(formatAmount({ bytes: 123_456_789_012, messages: 1 })).toBe('123456789012    1\n')
  })

  test('letters that others use are passed over, and 0 is no limit', () => {
    expect(parseSizes('0S,5X\n0 0\n')?.quota).toEqual(unlimited)
    expect(parseSizes('7C,100S\n0 0\n')?.quota).toEqual({ bytes: 100, messages: 7 })
  })

  test.each([
    '',
    '100S\n',
    '100S\n1 1',
    '100S\n1 1\n2',
    '100S\n1\n',
    '100S\n1 1 1\n',
    '100S\n0x10 1\n',
    '100S\n1e3 1\n',
    '100S\n-1 0\n',
    '100S\n5 -1\n',
    '1 1\n1 1\n',
    'many\n1 1\n',
    '1000000000000000S\n1 1\n',
    '100S\n\u0000\u0000\u0000\u0000\n',
  ])('%j is broken', (text) => {
    expect(parseSizes(text)).toBeNull()
  })

  test('what is written is read back, and the amounts add up', () => {
    const limit = fc.integer({ min: 1, max: 999_999_999_999_999 })
    const amount = fc.record({ bytes: fc.nat(9_999_999_999), messages: fc.nat(99_999) })
    const quota = fc
      .record({ bytes: fc.option(limit), messages: fc.option(limit) })
      .filter(({ bytes, messages }) => bytes !== null || messages !== null)
    fc.assert(
      fc.property(quota, amount, fc.array(amount), (limits, first, others) => {
        const text = formatSizes(limits, first) + others.map(formatAmount).join('')
        const all = [first, ...others]
        expect(parseSizes(text)).toEqual({
          quota: limits,
          lines: all.length,
          usage: {
            bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
            messages: all.reduce((sum, { messages }) => sum + messages, 0),
          },
        })
      }),
    )
  })

  test('no text makes it fail, or gives less than nothing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'0123456789SC,- \t\n\r\u0000x') }),
        (text) => {
          const sizes = parseSizes(text)
          if (sizes === null) return
          expect(sizes.usage.bytes).toBeGreaterThanOrEqual(0)
          expect(sizes.usage.messages).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })
})
