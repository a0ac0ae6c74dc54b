import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeUtf8Address, decodeXtext, encodeUtf8Address } from '../../src/mail/xtext.js'

describe('xtext (RFC 3461 section 4)', () => {
  it('stands for printable ASCII', () => {
    expect(decodeXtext('QQ+2B314+3D159+20x')).toBe('QQ+314=159 x')
    const text = fc.stringMatching(/^[ -~]{1,60}$/)
    fc.assert(
      fc.property(text, fc.boolean(), (wanted, all) => {
        const written = wanted.replace(all ? /./g : /[+= ]/g, (character) => {
          return `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
        })
        expect(decodeXtext(written)).toBe(wanted)
      }),
    )
  })

  it('is refused when it is malformed or stands for anything else', () => {
    for (const text of [
      '',
      'a=b',
      'a b',
      '+',
      '+2',
      'a+2b',
      '+GG',
      'é',
      'a+0A',
      'a+0D',
      'a+00',
      '+7F',
      '+E9',
    ])
      expect(decodeXtext(text), text).toBeNull()
  })
})

describe('an address in UTF-8 (RFC 6533 section 3)', () => {
  it('is read in each of its forms', () => {
    expect(decodeUtf8Address('jürgen@far.example')).toBe('jürgen@far.example')
    expect(decodeUtf8Address(String.raw`j\x{FC}rgen@far.example`)).toBe('jürgen@far.example')
    expect(decodeUtf8Address(String.raw`a\x{2B}b\x{1F600}@x`)).toBe('a+b😀@x')
  })

  it('is refused when it is malformed or holds control characters', () => {
    const bad = [
      ...['', 'a b', 'a+b', 'a=b', 'a\nb', 'a\u2028b', '\ud800', 'a\\b', String.raw`\x{G0}`],
      ...[String.raw`\x{0A}`, String.raw`\x{7F}`, String.raw`\x{D800}`, String.raw`\x{110000}`],
      ...[String.raw`\x{fc}`, String.raw`\x{C}`, String.raw`\x{0000FC0}`],
    ]
    for (const text of bad) expect(decodeUtf8Address(text), text).toBeNull()
  })

  it('is written in ASCII and read as it was', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((address) => !/[\p{Cc}\u2028\u2029]/u.test(address))
    fc.assert(
      fc.property(text, (address) => {
        const written = encodeUtf8Address(address)
        expect(written).toMatch(/^[!-~]+$/)
        expect(decodeUtf8Address(written)).toBe(address)
      }),
    )
  })
})
