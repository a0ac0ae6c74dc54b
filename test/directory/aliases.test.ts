import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AliasTarget } from '../../src/directory/alias-target.js'
import { AliasesError, parseAliases } from '../../src/directory/aliases.js'

const bare = (local: string): AliasTarget => ({ kind: 'address', local, domain: null })
const targets = (text: string, name = 'x'): readonly AliasTarget[] | undefined =>
  parseAliases(text, 'f').get(name)?.targets

describe('parseAliases', () => {
  it('reads names and targets', () => {
    expect(targets('x: alice, Bob@Example.COM,carol\n')).toEqual([
      bare('alice'),
      { kind: 'address', local: 'Bob', domain: 'example.com' },
      bare('carol'),
    ])
  })

  it('folds names, and takes them quoted', () => {
    const aliases = parseAliases('Sales-Team: a\n"two words": b\n"a:b": c\n', 'f')
    expect([...aliases.keys()]).toEqual(['sales-team', 'two words', 'a:b'])
  })

  it('continues lines that begin with a space, past comments and empty lines', () => {
    const text = '# list\nx: a,\n   b,\n\n# not c\n\n\td\r\ny: e'
    expect(targets(text)).toEqual([bare('a'), bare('b'), bare('d')])
    expect(parseAliases(text, 'f').get('y')).toEqual({ at: 'f:8', name: 'y', targets: [bare('e')] })
  })

  it('does not split inside quotes', () => {
    expect(targets('x: "a, b", "c, d"@example.com\n')).toEqual([
      bare('a, b'),
      { kind: 'address', local: 'c, d', domain: 'example.com' },
    ])
  })

  it.each<[string, AliasTarget]>([
    ['|/bin/sh', { kind: 'program', command: ['/bin/sh'] }],
    ['"|/bin/prog a, b"', { kind: 'program', command: ['/bin/prog', 'a,', 'b'] }],
    ['"|/bin/prog \\"a b\\" \'c d\'"', { kind: 'program', command: ['/bin/prog', 'a b', 'c d'] }],
    ['/etc/passwd', { kind: 'file', path: '/etc/passwd' }],
    ['"/var/mail/x y"', { kind: 'file', path: '/var/mail/x y' }],
    ['/var/mail/x//', { kind: 'maildir', path: '/var/mail/x' }],
    [':include:/etc/shadow', { kind: 'include', path: '/etc/shadow' }],
    ['":Include: /list"', { kind: 'include', path: '/list' }],
    [':fail: gone, for good', { kind: 'fail', status: '5.1.1', text: 'gone, for good' }],
    [':FAIL: 5.2.1 "moved"', { kind: 'fail', status: '5.2.1', text: '"moved"' }],
    [':fail: a\u202eb "', { kind: 'fail', status: '5.1.1', text: 'a?b "' }],
    [':fail:', { kind: 'fail', status: '5.1.1', text: 'this address takes no mail' }],
    [':blackhole:', { kind: 'discard' }],
    ['/dev/null', { kind: 'discard' }],
  ])('reads the target %j', (word, target) => {
    expect(targets(`x: ${word}\n`)).toEqual([target])
  })

  it.each([
    [':defer: later', /:defer: is not known/],
    ['|cmd', /whole path/],
    ['|', /whole path/],
    ['"|/bin/x > y"', /no shell for >/],
    ['"|/bin/x $(id)"', /no shell for \$/],
    ['"|/bin/x \\"`id`\\""', /no shell for `/],
    ['"|/bin/x \'a"', /quote/],
    ['/', /root directory/],
    ['/a/../etc/x', /no "\."/],
    ['/var/mail/x y', /in quotes/],
    [':include:list', /whole path/],
    ['a, :fail: no', /stands alone/],
    ['Bob <bob@example.com>', /not an address/],
    ['a b', /not an address/],
    ['\\bob', /not an address/],
    ['../../etc/passwd', /not an address/],
    ['..', /not an address/],
    ['.', /not an address/],
    ['..\\..\\x', /not an address/],
    ['u@../local', /not an address/],
    ['u@..', /not an address/],
    ['"a\0b"', /not an address/],
    [';id;', /not an address/],
    ['$(id)', /not an address/],
    ['a@b@c', /not an address/],
    ['', /no target/],
    [' , ', /no target/],
  ])('keeps the target %j as one that nothing is delivered to', (word, why) => {
    expect(targets(`x: ${word}\n`)?.at(-1)).toEqual({
      kind: 'undeliverable',
      why: expect.stringMatching(why) as string,
    })
  })

  it.each([
    ['no colon', 'ok: a\nalice bob\n', /^f:2: expected/],
    ['an open quote', 'ok: a\nx: "a, b\n', /^f:2: a quote/],
    ['an open quote in the name', '"x: a\n', /^f:1: a quote/],
    ['a name with a domain', 'x@example.com: a\n', /^f:1: the name/],
    ['a name that is a path', '../x: a\n', /^f:1: the name/],
    ...[
      '../../etc/passwd',
      '..',
      '.',
      '..\\..\\x',
      '"a\0b"',
      ';id;',
      '$(id)',
      ':include:/etc/shadow',
    ].map((name): [string, string, RegExp] => [
      `the name ${name}`,
      `${name}: a\n`,
      /^f:1: the name/,
    ]),
    ['a continuation of nothing', '# c\n  a, b\n', /^f:2: continues/],
    ['a name twice', 'x: a\ny: b\nX: c\n', /^f:3: x stands at f:1/],
  ])('refuses %s, with file and line', (_, text, message) => {
    expect(() => parseAliases(text, 'f')).toThrow(AliasesError)
    expect(() => parseAliases(text, 'f')).toThrow(message)
  })

  it.each(['"../x"', 'a/b', '%2e%2e%2f', '`id`', '|cmd', '/etc/x'])(
    'takes the name %s for a name and no more (E5, E11)',
    (name) => {
      expect(targets(`${name}: alice\n`, name.replaceAll('"', ''))).toEqual([bare('alice')])
    },
  )

  it('throws nothing but its own error', () => {
    const junk = fc.array(fc.constantFrom(...'ab:,"\\ \t\n\r#|/@.<>\0é')).map((all) => all.join(''))
    fc.assert(
      fc.property(junk, (text) => {
        try {
          parseAliases(text, 'f')
        } catch (error) {
          expect(error).toBeInstanceOf(AliasesError)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
