/** What every directory must do, whatever it is made of. */
import { describe, expect, it } from 'vitest'
import type { Directory, Target } from '../../src/directory/directory.js'
import { formatAddress, parseAddress, type Address } from '../../src/mail/address.js'
import { Refusal } from '../../src/mail/refusal.js'
import type { World } from '../helpers/domain-tree.js'

const ALICE = '{PLAIN}wonderland'
const people = { alice: ALICE, bob: '!', postmaster: '!' }

function address(text: string): Address {
  const parsed = parseAddress(text)
  if (parsed === null) throw new Error(`${text} is no address`)
  return parsed
}

/** A mailbox as its address, everything else with its kind in front. */
function asText(target: Target): string {
  switch (target.kind) {
    case 'mailbox':
      return formatAddress(target.user)
    case 'program':
      return `|${target.command.join(' ')} of ${formatAddress(target.of)}`
    case 'file':
    case 'maildir':
      return `${target.kind} ${target.path} of ${formatAddress(target.of)}`
    case 'remote':
      return `remote ${formatAddress(target.address)} of ${formatAddress(target.of)}`
    case 'discard':
      return `discard of ${formatAddress(target.of)}`
    case 'lmtp':
      return `lmtp ${formatAddress(target.to)}`
  }
}

/** @param make builds a directory that holds that world */
export function directoryContract(
  name: string,
  make: (world: World) => Directory | Promise<Directory>,
): void {
  const example = (aliases: string, bounceToPostmaster = false): Promise<Directory> =>
    Promise.resolve(
      make({ domains: { 'example.com': { users: people, aliases, bounceToPostmaster } } }),
    )

  const targets = async (directory: Directory, to: string): Promise<string[]> =>
    (await directory.resolve(address(to))).map(asText)

  const refusal = async (directory: Directory, to: string): Promise<unknown> =>
    targets(directory, to).catch((error: unknown) =>
      error instanceof Refusal ? `${error.code} ${error.status}` : error,
    )

  describe(`${name}: resolve`, () => {
    it('finds a user, however the local part is written', async () => {
      const directory = await example('')
      for (const spelling of ['alice', 'ALICE', 'aLiCe', '"alice"', '"al\\ice"']) {
        expect(await targets(directory, `${spelling}@Example.COM`)).toEqual(['alice@example.com'])
      }
    })

    it('finds nobody for a local part that is nobody, and nobody in a foreign domain', async () => {
      const directory = await example('')
      expect(await targets(directory, 'ghost@example.com')).toEqual([])
      expect(await targets(directory, 'alice@elsewhere.example')).toEqual([])
    })

    it('always finds postmaster and abuse', async () => {
      const directory = await make({ domains: { 'example.com': {} } })
      for (const local of ['postmaster', 'PoStMaStEr', 'abuse']) {
        expect(await targets(directory, `${local}@example.com`)).toEqual(['postmaster@example.com'])
      }
    })

    it("sends abuse where postmaster's alias leads", async () => {
      const directory = await example('postmaster: alice\n')
      expect(await targets(directory, 'abuse@example.com')).toEqual(['alice@example.com'])
    })

    it('still has a postmaster when its aliases lead back to it', async () => {
      const directory = await example('postmaster: abuse\n')
      for (const local of ['postmaster', 'abuse']) {
        expect(await targets(directory, `${local}@example.com`)).toEqual(['postmaster@example.com'])
      }
    })

    it('sends unknown local parts to postmaster when told so, and nobody else', async () => {
      const directory = await example('postmaster: bob\nteam: alice\n', true)
      expect(await targets(directory, 'ghost@example.com')).toEqual(['bob@example.com'])
      expect(await targets(directory, 'alice@example.com')).toEqual(['alice@example.com'])
      expect(await targets(directory, 'team@example.com')).toEqual(['alice@example.com'])
    })

    it('follows aliases of aliases, each mailbox once', async () => {
      const directory = await example('all: team, Alice\nteam: alice, bob@example.com\n')
      expect(await targets(directory, 'ALL@example.com')).toEqual([
        'alice@example.com',
        'bob@example.com',
      ])
    })

    it('lets an alias beat a user of that name', async () => {
      const directory = await example('bob: alice\n')
      expect(await targets(directory, 'bob@example.com')).toEqual(['alice@example.com'])
    })

    it('takes an alias that names itself for the mailbox', async () => {
      const directory = await example('alice: Alice, bob\n')
      expect(await targets(directory, 'alice@example.com')).toEqual([
        'alice@example.com',
        'bob@example.com',
      ])
    })

    it('cuts a circle (Q2) and keeps who is beside it', async () => {
      const directory = await example('a: b\nb: c, alice\nc: a\n')
      expect(await targets(directory, 'a@example.com')).toEqual(['alice@example.com'])
      expect(await targets(directory, 'c@example.com')).toEqual(['alice@example.com'])
    })

    it('reaches the other own domains, with their own aliases', async () => {
      const directory = await make({
        domains: {
          'example.com': { aliases: 'far: near@example.org\n' },
          'example.org': { users: people, aliases: 'near: bob\n' },
        },
      })
      expect(await targets(directory, 'far@example.com')).toEqual(['bob@example.org'])
    })

    it.each([
      ['a circle with nobody beside it', 'x: y\ny: x\n'],
      ['an alias of itself without a mailbox', 'x: x\n'],
      ['a name that nobody has', 'x: alice, ghost\n'],
      ['a list that is not there', 'x: alice, :include:/nowhere/list\n'],
      ['an unknown directive', 'x: alice, :defer: later\n'],
      ['a command for a shell', 'x: alice, "|/bin/x > /tmp/y"\n'],
      ['a program without its path', 'x: alice, |cmd\n'],
      ['a list with somebody refused', 'x: alice, gone\ngone: :fail: gone\n'],
      ['nothing', 'x:\n'],
      ['what is no address', 'x: ../../etc/passwd\n'],
    ])('says "later" to %s, and delivers to the others', async (_, aliases) => {
      const directory = await example(aliases)
      expect(await refusal(directory, 'x@example.com')).toBe('451 4.3.5')
      expect(await targets(directory, 'alice@example.com')).toEqual(['alice@example.com'])
    })

    it('finds programs, files, Maildirs, nothing and addresses elsewhere', async () => {
      const directory = await example(
        'all: alice, "|/bin/cat -u", /var/mail/x, /var/mail/y/, :blackhole:, Joe@elsewhere.example\n',
      )
      expect(await targets(directory, 'All@example.com')).toEqual([
        'alice@example.com',
        '|/bin/cat -u of all@example.com',
        'file /var/mail/x of all@example.com',
        'maildir /var/mail/y of all@example.com',
        'discard of all@example.com',
        'remote Joe@elsewhere.example of all@example.com',
      ])
    })

    it('refuses what an alias refuses, with its words', async () => {
      const directory = await example(
        'gone: :fail: 5.2.1 moved, ask alice\nold: gone\nabuse: gone\n',
      )
      expect(await refusal(directory, 'gone@example.com')).toBe('550 5.2.1')
      await expect(directory.resolve(address('old@example.com'))).rejects.toThrow(
        'moved, ask alice',
      )
      expect(await targets(directory, 'abuse@example.com')).toEqual(['postmaster@example.com'])
    })

    it('takes a name with a tag for the name, unless there is exactly that name', async () => {
      const directory = await make({
        domains: {
          'example.com': {
            users: { ...people, 'bob+work': '!', 'a b': '!' },
            aliases:
              'team: alice, bob\nteam+x: bob\nbot: "|/bin/cat"\nself: self+a\nalice: alice+kept, bob\n',
          },
        },
      })
      const of = (local: string) => targets(directory, `${local}@example.com`)
      expect(await of('Bob+anything+else')).toEqual(['bob@example.com'])
      expect(await of('bob+')).toEqual(['bob@example.com'])
      expect(await of('bob+WORK')).toEqual(['bob+work@example.com'])
      expect(await of('bob+work+x')).toEqual(['bob@example.com'])
      expect(await of('team+y')).toEqual(['alice@example.com', 'bob@example.com'])
      expect(await of('team+x')).toEqual(['bob@example.com'])
      expect(await of('postmaster+x')).toEqual(['postmaster@example.com'])
      expect(await of('"a b+c"')).toEqual(['"a b"@example.com'])
      expect(await of('bot+one')).toEqual(['|/bin/cat of bot+one@example.com'])
      expect(await of('alice')).toEqual(['alice@example.com', 'bob@example.com'])
      for (const nobody of ['+bob', 'ghost+x', 'al+ice', '"+"'])
        expect(await of(nobody)).toEqual([])
      expect(await refusal(directory, 'self@example.com')).toBe('451 4.3.5')
    })

    it('knows another separator, or none', async () => {
      const domains = { 'example.com': { users: people } }
      const minus = await make({ domains, tagSeparator: '-' })
      expect(await targets(minus, 'bob-x@example.com')).toEqual(['bob@example.com'])
      expect(await targets(minus, 'bob+x@example.com')).toEqual([])
      const none = await make({ domains, tagSeparator: '' })
      expect(await targets(none, 'bob+x@example.com')).toEqual([])
    })

    it('takes an alias domain for its domain, at login too', async () => {
      const directory = await make({
        domains: { 'example.com': { users: people, aliases: 'team: alice, bob@b.example\n' } },
        aliasDomains: { 'b.example': 'example.com' },
      })
      expect(await directory.owns('b.example')).toBe(true)
      expect(await targets(directory, 'ALICE+x@b.example')).toEqual(['alice@example.com'])
      expect(await targets(directory, 'team@b.example')).toEqual([
        'alice@example.com',
        'bob@example.com',
      ])
      expect(await targets(directory, 'ghost@b.example')).toEqual([])
      expect(await directory.user(address('alice@b.example'))).toMatchObject({
        address: { local: 'alice', domain: 'example.com' },
      })
    })

    it('sends unknown local parts to the catch-all, and nobody else', async () => {
      const caught = (catchAll: string) =>
        make({ domains: { 'example.com': { users: people, aliases: 'team: bob\n', catchAll } } })
      const directory = await caught('alice@example.com')
      expect(await targets(directory, 'ghost@example.com')).toEqual(['alice@example.com'])
      expect(await targets(directory, 'team@example.com')).toEqual(['bob@example.com'])
      expect(await targets(directory, 'abuse@example.com')).toEqual(['postmaster@example.com'])
      const away = await caught('Joe@elsewhere.example')
      expect(await targets(away, 'ghost@example.com')).toEqual([
        'remote Joe@elsewhere.example of ghost@example.com',
      ])
    })

    it.each(['ghost', 'ghost+x', 'other'])(
      'says "later" where the catch-all %s is nobody',
      async (local) => {
        const directory = await make({
          domains: { 'example.com': { users: people, catchAll: `${local}@example.com` } },
        })
        for (const nobody of ['ghost', 'ghost+x', 'who']) {
          expect(await refusal(directory, `${nobody}@example.com`)).toBe('451 4.3.5')
        }
      },
    )

    it('follows ten aliases, not eleven', async () => {
      const chain = Array.from({ length: 11 }, (_, n) => `a${n}: a${n + 1}\n`).join('')
      const directory = await example(`${chain}a11: alice\n`)
      expect(await targets(directory, 'a2@example.com')).toEqual(['alice@example.com'])
      expect(await refusal(directory, 'a1@example.com')).toBe('451 4.3.5')
    })

    it('expands to a thousand addresses, not to a hundred thousand', async () => {
      const users = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`u${n}`, '!']))
      const list = (count: number): string =>
        Array.from({ length: count }, (_, n) => `u${n}`).join(', ')
      const aliases = `k: ${list(1_000)}\nk1: ${list(1_001)}\nmany: ${list(100_000)}\n`
      const directory = await make({ domains: { 'example.com': { users, aliases } } })
      expect(await targets(directory, 'k@example.com')).toHaveLength(1_000)
      expect(await refusal(directory, 'k1@example.com')).toBe('451 4.3.5')
      expect(await refusal(directory, 'many@example.com')).toBe('451 4.3.5')
    })
  })

  describe(`${name}: secrets`, () => {
    const HASH = '$argon2id$x'
    it.each([
      ['none', 'there is nobody', {}, {}],
      ['none', 'nobody can log in', { alice: '!' }, {}],
      ['none', 'there are hashes only', { alice: HASH, bob: '!' }, { carol: HASH }],
      ['some', 'there are both', { alice: ALICE, bob: HASH }, {}],
      ['some', 'domains differ', { alice: ALICE }, { alice: HASH }],
      ['all', 'everybody who can log in has one', people, {}],
      ['all', 'it is written otherwise', { alice: ALICE, bob: '{cleartext}x' }, { carol: ALICE }],
    ])('are stored by %s where %s', async (expected, _, users, others) => {
      const domains = { 'example.com': { users }, 'example.org': { users: others } }
      const directory = await make({ domains })
      await expect.poll(() => directory.secrets()).toBe(expected)
    })
  })

  describe(`${name}: accounts`, () => {
    it('owns its domains and no other', async () => {
      const directory = await example('')
      expect(await directory.owns('example.com')).toBe(true)
      for (const domain of ['com', 'x.example.com', '[127.0.0.1]', 'constructor', '__proto__']) {
        expect(await directory.owns(domain)).toBe(false)
      }
    })

    it('tells a user by the exact address', async () => {
      const directory = await example('other: alice\n')
      const alice = await directory.user(address('ALICE@example.com'))
      expect(alice).toMatchObject({
        address: { local: 'alice', domain: 'example.com' },
        password: ALICE,
        disabled: false,
      })
      expect(await directory.user(address('other@example.com'))).toBeNull()
      expect(await directory.user(address('alice@elsewhere.example'))).toBeNull()
    })

    it('knows no password for a disabled login', async () => {
      const directory = await example('')
      expect(await directory.user(address('bob@example.com'))).toMatchObject({ password: null })
    })

    it('completes a bare login name with the default domain only', async () => {
      const domains = { 'example.com': {}, 'example.org': {} }
      const without = await make({ domains })
      expect(without.qualify('alice')).toBeNull()
      const directory = await make({ domains, defaultDomain: 'example.org' })
      expect(directory.qualify('alice')).toEqual({ local: 'alice', domain: 'example.org' })
      expect(directory.qualify('a@example.com')).toEqual({ local: 'a', domain: 'example.com' })
      for (const bad of ['', '@', 'a@', '../x', 'a b', 'a\0', 'a@b@c', 'a\nb']) {
        expect(directory.qualify(bad)).toBeNull()
      }
    })
  })
}
