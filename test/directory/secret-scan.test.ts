import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { UserFile } from '../../src/directory/user-file.js'
import { MAX_SCANNED, SecretScan } from '../../src/directory/secret-scan.js'
import type { Log } from '../../src/log/log.js'
import { plant } from '../helpers/domain-tree.js'

const DOMAIN = 'example.com'
const PLAIN = '{PLAIN}x'
const HASH = '$argon2id$v=19$x'
const bob = { local: 'bob', domain: DOMAIN }

const account = (password: string): UserFile => ({
  password,
  scram: null,
  passwordProtocols: null,
  appPasswords: [],
  disabled: false,
  name: null,
  quota: null,
  forward: [],
  keep: false,
  deliver: null,
  unsupported: [],
})

/** A scan on real files, with a clock that the test moves, a count of scans and a log. */
async function stage(users: Readonly<Record<string, string>>) {
  const tree = await plant({ domains: { [DOMAIN]: { users } } })
  const seen = { time: 0, scans: 0, lines: [] as string[] }
  const note = (event: string, fields = {}) =>
    void seen.lines.push(`${event} ${JSON.stringify(fields)}`)
  const log: Log = { debug: note, info: note, warn: note, error: note }
  const domains = () => {
    seen.scans++
    return new Map([[DOMAIN, tree.users(DOMAIN)]])
  }
  const scan = new SecretScan(domains, log, () => seen.time)
  const write = (name: string, text: string) => writeFile(tree.userFile(DOMAIN, name), text)
  return { tree, seen, scan, write }
}

describe('a scan for clear secrets', () => {
  it('is begun by the first question, which does not wait for it', async () => {
    const { scan, seen } = await stage({ alice: PLAIN })
    expect([scan.current().secrets, seen.scans]).toEqual(['some', 1])
    await expect.poll(() => scan.current().secrets).toBe('all')
    expect(seen.scans).toBe(1)
  })

  it('is begun by a question at most once a minute', async () => {
    const { scan, seen, write } = await stage({ alice: PLAIN })
    await scan.scan()
    await write('bob', HASH)
    seen.time = 59_999
    expect([scan.current().secrets, seen.scans]).toEqual(['all', 1])
    seen.time = 60_000
    expect([scan.current().secrets, scan.current().secrets, seen.scans]).toEqual(['all', 'all', 2])
    await expect.poll(() => scan.current().secrets).toBe('some')
    expect(seen.scans).toBe(2)
  })

  it.each([
    ['a hash', HASH, 'some'],
    ['nonsense', 'hunter2', 'some'],
    ['no login', '!\n', 'all'],
    ['a disabled account', `password = "${HASH}"\ndisabled = true\n`, 'all'],
    ['a secret in a table', `password = "${PLAIN}"\n`, 'all'],
  ])('beside a secret finds that %s makes it %3$s', async (_, text, expected) => {
    const { scan, write } = await stage({ alice: PLAIN })
    await write('bob', text)
    await scan.scan()
    expect(scan.current().secrets).toBe(expected)
  })

  it('finds no secret in a file that can not be read', async () => {
    const { scan, tree, write } = await stage({})
    await write('bob', 'hunter2')
    await mkdir(tree.userFile(DOMAIN, 'folder'))
    await scan.scan()
    expect(scan.current().secrets).toBe('none')
  })

  it('never finds that all have one where more accounts are than it reads', async () => {
    const { scan, write } = await stage({})
    const names = Array.from({ length: MAX_SCANNED }, (_, n) => `u${n}`)
    for (let at = 0; at < names.length; at += 500)
      await Promise.all(names.slice(at, at + 500).map((name) => write(name, PLAIN)))
    await scan.scan()
    expect(scan.current().secrets).toBe('all')
    await write('one-more', PLAIN)
    await scan.scan()
    expect(scan.current().secrets).toBe('some')
  })

  it('says "some" when a database is missing, once in the log, and again after it was there', async () => {
    const { scan, seen, tree } = await stage({ alice: PLAIN })
    const [here, away] = [join(tree.root, DOMAIN), join(tree.root, 'unmounted')]
    for (let round = 1; round <= 2; round++) {
      await rename(here, away)
      await scan.scan()
      await scan.scan()
      expect(scan.current().secrets).toBe('some')
      expect(seen.lines).toHaveLength(round)
      await rename(away, here)
      await scan.scan()
      expect(scan.current().secrets).toBe('all')
    }
    expect(seen.lines[1]).toMatch(/users unreadable.*example\.com.*ENOENT/)
  })

  it('loses to a later one, and to what a login shows while it runs', async () => {
    const { scan, tree } = await stage({ alice: PLAIN })
    const early = scan.scan()
    scan.note(account(HASH))
    await early
    expect(scan.current().secrets).toBe('some')
    const replaced = scan.scan()
    await rm(tree.userFile(DOMAIN, 'alice'))
    await scan.scan()
    await replaced
    expect(scan.current().secrets).toBe('none')
  })
})

describe('what a login shows', () => {
  it('lowers "all" and raises "none" to "some", and never says more', async () => {
    const { scan } = await stage({ alice: PLAIN })
    await scan.scan()
    scan.note(account(PLAIN))
    scan.note({ ...account(HASH), disabled: true })
    scan.note({ ...account(HASH), password: null })
    expect(scan.current().secrets).toBe('all')
    scan.note(account(HASH))
    scan.note(account(PLAIN))
    expect(scan.current().secrets).toBe('some')
    const empty = await stage({})
    await empty.scan.scan()
    empty.scan.note(account(HASH))
    expect(empty.scan.current().secrets).toBe('none')
    empty.scan.note(account(PLAIN))
    expect(empty.scan.current().secrets).toBe('some')
  })

  it('is seen by the directory', async () => {
    const { directory, userFile } = await plant({ domains: { [DOMAIN]: { users: { a: PLAIN } } } })
    await directory.scanSecrets()
    expect(directory.secrets()).toBe('all')
    await writeFile(userFile(DOMAIN, 'bob'), HASH, { mode: 0o600 })
    await directory.user(bob)
    expect(directory.secrets()).toBe('some')
  })
})
