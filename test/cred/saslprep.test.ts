import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { preparedPassword, saslprep } from '../../src/cred/saslprep.js'

describe('saslprep', () => {
  // RFC 4013 section 3.
  test.each([
    ['I\u00adX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
  ])('makes %j %j', (text, prepared) => {
    expect(saslprep(text)).toBe(prepared)
  })

  test.each([
    ['a no-break space a space', 'a\u00a0b', 'a b'],
    ['letters and accents one', 'gru\u0308n', 'gr\u00fcn'],
    ['wide letters common ones', '\uff41', 'a'],
    ['nothing of a zero-width joiner', 'a\u200db', 'ab'],
    ['no difference of case', 'ß', 'ß'],
  ])('makes %s', (_, text, prepared) => {
    expect(saslprep(text)).toBe(prepared)
  })

  test.each([
    '',
    '\u0007',
    'a\u007f',
    'a\u0085b',
    '\ue000',
    '\ufdd0',
    '\ud800',
    '\ufffd',
    '\u200e',
    '\u2028',
    '\u{e0041}',
    '\u00ad',
  ])('takes %j for nothing that a person types', (text) => {
    expect(saslprep(text)).toBeNull()
    expect(preparedPassword(text)).toBe(text)
  })

  test('has nothing to do a second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const once = saslprep(text)
        if (once !== null) expect(saslprep(once)).toBe(once)
      }),
    )
  })
})
