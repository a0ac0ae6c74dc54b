/** What every language must keep to; that no text is missing, the compiler sees. */
import { describe, expect, test } from 'vitest'
import { ENGLISH } from '../../src/pop3/english.js'
import { GERMAN } from '../../src/pop3/german.js'
import { err, later, line, ok, printable, systemCode } from '../../src/pop3/reply.js'

const said = (texts: object): [string, string][] =>
  Object.entries(texts).map(([key, text]) => [
    key,
    typeof text === 'function' ? (text as (...args: unknown[]) => string)(1, 2) : String(text),
  ])

describe.each([
  ['English', ENGLISH],
  ['German', GERMAN],
])('%s', (_, texts) => {
  test('fits into a reply: one line of text, no response code of its own', () => {
    for (const [key, text] of said(texts)) {
      expect([key, text]).toEqual([key, expect.stringMatching(/^[^[\p{Cc}][^\p{Cc}]*$/u)])
      // RFC 2449 section 4: 512 octets with code and line end.
      expect(Buffer.byteLength(text)).toBeLessThan(200)
    }
  })
})

test('English is ASCII: nobody has asked for anything else', () => {
  for (const [, text] of said(ENGLISH)) expect(text).toMatch(/^[ -~]+$/)
})

describe('a reply', () => {
  test('is one line, whatever is in it', () => {
    expect(ok('a\r\nb\u2028c\u{85}d').head.toString()).toBe(
      '+OK a\\u{d}\\u{a}b\\u{2028}c\\u{85}d\r\n',
    )
    // Node writes U+010A as a line feed in latin1.
    expect(line('\u010a').toString()).toBe('\u010a\r\n')
    expect(err('löschen', { code: 'AUTH' }).head.toString()).toBe('-ERR [AUTH] löschen\r\n')
    expect(printable('ü\n')).toBe('\\u{fc}\\u{a}')
  })

  test('says that waiting does not help where the disk is broken', () => {
    const broken = Object.assign(new Error('x'), { code: 'EIO' })
    const deep = new Error('login', { cause: [new Error('y'), new Error('z', { cause: broken })] })
    expect(systemCode(deep)).toBe('SYS/PERM')
    expect(systemCode(Object.assign(new Error('x'), { code: 'EMFILE' }))).toBe('SYS/TEMP')
    for (const error of [undefined, 'EIO', null, []]) expect(systemCode(error)).toBe('SYS/TEMP')
    const loop = new Error('a')
    loop.cause = loop
    expect(systemCode(loop)).toBe('SYS/TEMP')
    expect(later('x', systemCode(broken)).head.toString()).toBe('-ERR [SYS/PERM] x\r\n')
  })
})
