import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatAddress, parseAddress } from '../../src/mail/address.js'
import { MAX_LISTED, parseAddressList } from '../../src/mail/address-list.js'

/** As texts, a name without a domain as it is. */
function read(text: string): { addresses: string[]; faults: readonly string[] } {
  const { addresses, faults } = parseAddressList(text)
  const texts = addresses.map(({ local, domain }) =>
    domain === null ? local : formatAddress({ local, domain }),
  )
  return { addresses: texts, faults }
}

describe('a list of addresses', () => {
  test.each([
    ['', []],
    [' , ,', []],
    ['a@x.org', ['a@x.org']],
    ['root', ['root']],
    ['a@x.org, b@y.org,root', ['a@x.org', 'b@y.org', 'root']],
    ['Ann <a@x.org>, "Doe, Joe" <b@y.org>', ['a@x.org', 'b@y.org']],
    ['J. R. Ewing <a@x.org>', ['a@x.org']],
    ['a@x.org (Ann (of \\) old)), (nobody)', ['a@x.org']],
    ['a (in) @ (the) x.org', ['a@x.org']],
    ['friends: a@x.org, Bob <b@y.org>;, c@z.org', ['a@x.org', 'b@y.org', 'c@z.org']],
    ['undisclosed-recipients:;', []],
    ['<@one.org,@two.org:a@x.org>', ['a@x.org']],
    ['"a b"@x.org', ['"a b"@x.org']],
    ['"a"."b c"@x.org', ['"a.b c"@x.org']],
    ['a@[127.0.0.1], <b@[IPv6:::1]>', ['a@[127.0.0.1]', 'b@[ipv6:::1]']],
    ['Jürgen <jürgen@bücher.example>', ['jürgen@xn--bcher-kva.example']],
    ['a@x.org,\n\tb@y.org', ['a@x.org', 'b@y.org']],
  ])('%j', (text, addresses) => {
    expect(read(text)).toEqual({ addresses, faults: [] })
  })

  test.each([
    'two words',
    'a@x.org b@y.org',
    'a@x.org: b@y.org',
    '<>',
    '<a@x.org',
    '"a@x.org',
    'a@x.org (open',
    'a@',
    '@x.org',
    'a@x..org',
    'a@b@x.org',
    ':include:/etc/passwd',
    'a\\b@x.org',
    '<a@x.org, b@y.org>',
    'a@"x.org"',
    '[127.0.0.1]@x.org',
  ])('%j is a fault and no address', (text) => {
    const { addresses, faults } = read(text)
    expect(faults).toHaveLength(1)
    expect(addresses).toEqual([])
  })

  test('goes on behind what is none', () => {
    expect(read('a@x.org, no way, b@y.org')).toEqual({
      addresses: ['a@x.org', 'b@y.org'],
      faults: ['no way'],
    })
    expect(read('Ann <a@x.org> Bob')).toEqual({ addresses: ['a@x.org'], faults: ['Bob'] })
  })

  test('has an end', () => {
    const { addresses, faults } = parseAddressList('a@x.org,'.repeat(MAX_LISTED + 20))
    expect(addresses).toHaveLength(MAX_LISTED)
    expect(faults).toHaveLength(10)
  })

  const local = fc.oneof(
    fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}$/),
    fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(...'ab .,;:<>()@"\\[]') }),
  )
  const domain = fc.stringMatching(/^[a-z][a-z0-9]{0,10}\.[a-z]{2,5}$/)
  const address = fc.record({ local, domain })
  const comment = fc.constantFrom('', ' ', '(x)', ' (a (b) \\) c) ', '\n\t')
  const name = fc.constantFrom('', 'Ann', '"Doe, (Joe) <x@y>"', 'A. B.', 'Jürgen')

  test('reads every address that can be written, with anything around it', () => {
    const entry = fc.tuple(address, name, comment, comment, fc.boolean())
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
        const texts = entries.map(([each, called, before, behind, angle]) => {
          const text = formatAddress(each)
          return angle || called !== ''
            ? `${called}${before}<${before}${text}${behind}>${behind}`
            : `${before}${text}${behind}`
        })
        const wanted = entries.map(([each]) => formatAddress(each))
        expect(read(texts.join(','))).toEqual({ addresses: wanted, faults: [] })
      }),
    )
  })

  test('never gives an address that the reader of addresses would refuse, whatever it reads', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab@.,;:<>()"\\[] \n\tü'), maxLength: 40 })
    fc.assert(
      fc.property(text, (any) => {
        for (const { local: name_, domain: place } of parseAddressList(any).addresses) {
          const whole = { local: name_, domain: place ?? 'x.org' }
          expect(parseAddress(formatAddress(whole))).toEqual(whole)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
