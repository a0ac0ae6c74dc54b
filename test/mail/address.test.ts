import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  foldLocal,
  formatAddress,
  identity,
  isInternational,
  parseAddress,
  parseDomain,
  parseLocal,
} from '../../src/mail/address.js'

describe('parseAddress', () => {
  test.each([
    ['alice@example.com', 'alice', 'example.com'],
    ['Alice@EXAMPLE.com', 'Alice', 'example.com'],
    ['"alice"@example.com', 'alice', 'example.com'],
    ['"a b"@example.com', 'a b', 'example.com'],
    ['"a@b"@example.com', 'a@b', 'example.com'],
    [String.raw`"a\"b\\c"@example.com`, String.raw`a"b\c`, 'example.com'],
    ["o'hara+tag=x@example.com", "o'hara+tag=x", 'example.com'],
    ['jürgen@bücher.example', 'jürgen', 'xn--bcher-kva.example'],
    ['用户@例子.example', '用户', 'xn--fsqu00a.example'],
    // A joiner and a soft hyphen: written in words, and other names than those without (E7).
    ['می\u200cخواهم@example.com', 'می\u200cخواهم', 'example.com'],
    ['क्\u200dष@example.com', 'क्\u200dष', 'example.com'],
    ['us\u00ader@example.com', 'us\u00ader', 'example.com'],
    ['a@[192.0.2.1]', 'a', '[192.0.2.1]'],
    ['a@[IPv6:2001:DB8::1]', 'a', '[ipv6:2001:db8::1]'],
  ])('reads %s', (text, local, domain) => {
    expect(parseAddress(text)).toEqual({ local, domain })
  })

  test.each([
    ...['', '@', 'a@', '@b', 'alice', 'a@b@c', '.a@b.example', 'a.@b.example', 'a..b@c.example'],
    ...['a b@c.example', 'a(c)@b.example', 'a@b.example(c)', '<a@b.example>', 'a@b.example.'],
    ...['a@-b.example', 'a@b-.example', 'a@b..example', 'a@.example', 'a@b_c.example'],
    ...['"a@b.example', 'a"b@c.example', '"a"b@c.example', '""@c.example', '"a\u0000b"@c.example'],
    ...['a@127.0.0.1', 'a@127.1', 'a@0x7f.1', 'a@1', 'a@[1.2.3]', 'a@[::1]', 'a@[IPv6:1.2.3.4]'],
    ...['a@b.example/c', 'a@b.example?c', 'a@b.example#c', 'a@b.example:25', 'a@b%2eexample'],
    ...['a\u0000@b.example', 'a@b\u0000.example', 'a\n@b.example', 'a@xn--0049', 'a@b\\c.example'],
    ...['a\u200bb@c.example', 'a\u202eb@c.example', 'a\u2028b@c.example', '\ufeffa@c.example'],
    `${'x'.repeat(65)}@b.example`,
    `a@${'x'.repeat(64)}.example`,
    `a@${'x.'.repeat(130)}example`,
    // Their NFC is ASCII: K, a semicolon, a grave accent.
    ...['\u212Aelvin@b.example', 'a\u037Eb@b.example', '\u1FEFa@b.example'],
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeNull()
  })

  test('reads back what formatAddress writes, for every local part that there is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 16 }), (text) => {
        const quoted = `"${text.replace(/["\\]/g, '\\$&')}"`
        const local = parseLocal(quoted)
        fc.pre(local !== null)
        const address = { local, domain: 'example.com' }
        expect(parseAddress(formatAddress(address))).toEqual(address)
      }),
    )
  })

  test('never throws, and what it takes it takes again in canonical form', () => {
    const near = fc.constantFrom(...'aZ0.-_"\\@ é用\u0308\u200d[]:%+(<\u0000', 'xn--')
    const part = fc.string({ unit: fc.oneof({ weight: 9, arbitrary: near }, fc.string()) })
    let taken = 0
    fc.assert(
      fc.property(part, part, (one, other) => {
        const address = parseAddress(`${one}@${other}`) ?? parseAddress(`"${one}"@${other}`)
        if (address === null) return
        taken++
        expect(parseDomain(address.domain)).toBe(address.domain)
        expect(parseAddress(formatAddress(address))).toEqual(address)
      }),
      { numRuns: 20_000 },
    )
    expect(taken).toBeGreaterThan(100)
  })
})

describe('identity', () => {
  test('folds ASCII letters and nothing else', () => {
    expect(foldLocal('ALICE')).toBe('alice')
    expect(foldLocal('JÜRGEN')).toBe('jÜrgen')
    expect(foldLocal('ſ')).toBe('ſ')
    expect(foldLocal('İ')).toBe('İ')
  })

  test('is one for NFC and NFD, for A-labels and U-labels', () => {
    const one = parseAddress('ju\u0308rgen@bu\u0308cher.example')!
    const other = parseAddress('Jürgen@xn--BCHER-kva.example')!
    expect(identity(one)).toBe(identity(other))
  })

  test('tells which addresses need SMTPUTF8', () => {
    expect(isInternational(parseAddress('alice@bücher.example')!)).toBe(false)
    expect(isInternational(parseAddress('jürgen@example.com')!)).toBe(true)
  })
})
