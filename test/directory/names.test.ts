import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../src/mail/address.js'
import { plant, type Tree } from '../helpers/domain-tree.js'

const DOMAIN = 'example.com'
const alice = { local: 'alice', domain: DOMAIN }

describe('a name', () => {
  // What E4, E5 and E7 of the list of attacks send; each must find nobody and nothing.
  const attacks = [
    '../../etc/passwd',
    '..',
    '.',
    '../x',
    '../secret',
    'a/b',
    'a\0b',
    '%2e%2e%2f',
    '%2E%2E%2Fsecret',
    '..\\..\\x',
    '/etc/passwd',
    '.users',
    '.users/alice',
    '.aliases',
    '../.users/alice',
    './alice',
    'alice/',
    'ｕｓｅｒ',
    'ａlice',
    'alıce',
    'al\u0131ce',
    'a\u200dlice',
    'al\u00adice',
    'ADMİN',
    'uſer',
    ';id;',
    '`id`',
    '$(id)',
    '|cmd',
    ':include:/etc/shadow',
    '__proto__',
    'constructor',
    'alice ',
  ]

  /** Files that would be users if a name got out of its folder. */
  async function trap(): Promise<Tree> {
    const tree = await plant({
      domains: { [DOMAIN]: { users: { alice: '{PLAIN}x', user: '!', karl: '!', admin: '!' } } },
    })
    await writeFile(join(tree.root, 'secret'), '{PLAIN}out')
    await writeFile(join(tree.root, DOMAIN, 'secret'), '{PLAIN}out')
    await writeFile(join(tree.root, DOMAIN, 'x'), '{PLAIN}out')
    await mkdir(join(tree.root, DOMAIN, '.users', 'a'))
    await writeFile(join(tree.root, DOMAIN, '.users', 'a', 'b'), '{PLAIN}in')
    return tree
  }

  it.each(attacks)('like %j leads to nobody', async (local) => {
    const tree = await trap()
    const address = { local, domain: DOMAIN }
    expect(await tree.directory.user(address)).toBeNull()
    expect(await tree.directory.resolve(address)).toEqual([])
    const login = tree.directory.qualify(`${local}@${DOMAIN}`)
    expect(login === null ? null : await tree.directory.user(login)).toBeNull()
  })

  it.each(attacks)(
    'like %j makes, changes and removes nothing outside its folder',
    async (local) => {
      const tree = await trap()
      const users = tree.users(DOMAIN)
      const outside = async (): Promise<string[]> => {
        const all = await readdir(tree.root, { recursive: true })
        return all.filter((path) => !path.startsWith(join(DOMAIN, '.users/'))).toSorted()
      }
      const before = await outside()
      await users.add(local, '!').catch(() => {})
      await users.setPassword(local, '{PLAIN}mine').catch(() => {})
      expect(await outside()).toEqual(before)
      await users.remove(local)
      expect(await outside()).toEqual(before)
      expect(await readFile(join(tree.root, DOMAIN, 'secret'), 'utf8')).toBe('{PLAIN}out')
      expect(await tree.directory.user(alice)).toMatchObject({ password: '{PLAIN}x' })
    },
  )

  it.each(attacks)('like %j in the aliases file leads to nobody either', async (local) => {
    const tree = await trap()
    const quoted = `"${local.replace(/["\\]/g, '\\$&')}"`
    // Not in quotes a space at the end is none of the name.
    const bare = local.trim() === local ? local : 'ghost'
    await writeFile(tree.aliasFile(DOMAIN), `quoted: ${quoted}\nbare: ${bare}\nfine: alice\n`)
    for (const name of ['quoted', 'bare']) {
      const found = tree.directory.resolve({ local: name, domain: DOMAIN })
      // A file that the administrator names is a place for mail, not a user's mailbox.
      if (/^\/./.test(local)) expect(await found).toMatchObject([{ kind: 'file', path: local }])
      else await expect(found).rejects.toMatchObject({ code: 451, status: '4.3.5' })
    }
    expect(await tree.directory.resolve({ local: 'fine', domain: DOMAIN })).toMatchObject([
      { kind: 'mailbox', user: alice },
    ])
  })

  it('with the Kelvin sign is the one with the letter K, which NFC makes of it', async () => {
    const tree = await trap()
    const user = await tree.directory.user({ local: '\u212aarl', domain: DOMAIN })
    expect(user?.address.local).toBe('karl')
  })

  it.each(['local.', 'xn--', 'a..b', '-a.b', '[::1]', '../example.com', `${'a'.repeat(256)}.com`])(
    'in the domain %j is no address',
    (domain) => {
      expect(parseAddress(`alice@${domain}`)).toBeNull()
    },
  )

  it.each([
    '[127.0.0.1]',
    '[IPv6:::1]',
    'xn--exmple-cua.com',
    'examp1e.com',
    '..',
    '',
    '__proto__',
  ])('in the domain %j leads to nobody', async (domain) => {
    const tree = await trap()
    expect(await tree.directory.resolve({ local: 'alice', domain })).toEqual([])
    expect(await tree.directory.user({ local: 'alice', domain })).toBeNull()
  })

  it('has no mailbox outside the directory of its domain', async () => {
    const tree = await trap()
    for (const local of attacks) {
      const path = tree.directory.mailboxPath({ local, domain: DOMAIN })
      expect(path === null ? '' : path.slice(join(tree.root, DOMAIN).length)).toMatch(
        /^$|^\/[^/.][^/]*$/,
      )
    }
  })
})
