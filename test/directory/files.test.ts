import { execFileSync } from 'node:child_process'
import { chmod, mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Log } from '../../src/log/log.js'
import type { Address } from '../../src/mail/address.js'
import { Refusal } from '../../src/mail/refusal.js'
import { directoryContract } from '../contracts/directory.js'
import { countTargets as count, plant } from '../helpers/domain-tree.js'
import { keptLog } from '../helpers/kept-log.js'

const DOMAIN = 'example.com'
const bob: Address = { local: 'bob', domain: DOMAIN }
const alice: Address = { local: 'alice', domain: DOMAIN }

directoryContract('FilesDirectory', async (world) => (await plant(world)).directory)

const oneDomain = (aliases?: string) => ({
  domains: {
    [DOMAIN]: { users: { alice: '{PLAIN}x' }, ...(aliases !== undefined && { aliases }) },
  },
})

const code = (error: unknown): unknown => (error instanceof Refusal ? error.code : error)

/** A clock that a test moves, and a log that it reads. */
function stage() {
  const lines: string[] = []
  const note = (event: string, fields = {}): void => {
    lines.push(`${event} ${JSON.stringify(fields)}`)
  }
  const log: Log = { debug: note, info: note, warn: note, error: note }
  const clock = { time: 0 }
  return { lines, clock, options: { log, now: () => clock.time } }
}

describe('users in files', () => {
  it('work as soon as a file is dropped in, although they were unknown just now', async () => {
    const tree = await plant(oneDomain(), stage().options)
    expect(await count(tree, bob)).toBe(0)
    await writeFile(tree.userFile(DOMAIN, 'bob'), '{PLAIN}y\n')
    expect(await count(tree, bob)).toBe(1)
    expect(await tree.directory.user(bob)).toMatchObject({ password: '{PLAIN}y' })
  })

  it('stop logging in at once and getting mail within a second after their file is removed', async () => {
    const { clock, options } = stage()
    const tree = await plant(oneDomain(), options)
    expect(await count(tree, alice)).toBe(1)
    await unlink(tree.userFile(DOMAIN, 'alice'))
    expect(await tree.directory.user(alice)).toBeNull()
    clock.time = 499
    expect(await count(tree, alice)).toBe(1)
    clock.time = 500
    expect(await count(tree, alice)).toBe(0)
  })

  it('get no mail while disabled, and no mail from lists either', async () => {
    const log = keptLog()
    const tree = await plant(oneDomain('team: alice, bob\n'), { log })
    await writeFile(tree.userFile(DOMAIN, 'bob'), 'disabled = true\npassword = "{PLAIN}y"\n')
    const refused = await tree.directory.resolve(bob).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 550, status: '5.2.1' })
    const team = await tree.directory.resolve({ local: 'team', domain: DOMAIN })
    expect(team).toMatchObject([{ user: { local: 'alice' } }])
    expect(log.of('disabled user left out')).toEqual([
      { user: `bob@${DOMAIN}`, of: `team@${DOMAIN}` },
    ])
    expect(await tree.directory.user(bob)).toMatchObject({ disabled: true })
  })

  it('are not found under names that are no key', async () => {
    const tree = await plant(oneDomain())
    for (const name of ['Carol', '.carol', 'ca%72ol']) {
      await writeFile(tree.userFile(DOMAIN, name), '{PLAIN}y')
    }
    const names: string[] = []
    for await (const name of tree.users(DOMAIN).names()) names.push(name)
    expect(names).toEqual(['alice'])
    expect(await count(tree, { local: 'carol', domain: DOMAIN })).toBe(0)
    expect(await count(tree, { local: '.carol', domain: DOMAIN })).toBe(0)
  })

  const strange: [string, (path: string, root: string) => Promise<unknown>][] = [
    [
      'a symbolic link',
      async (path, root) => {
        await writeFile(join(root, 'elsewhere'), '{PLAIN}y')
        await symlink(join(root, 'elsewhere'), path)
      },
    ],
    ['a FIFO that nobody writes to', async (path) => execFileSync('mkfifo', [path])],
    ['a directory', (path) => mkdir(path)],
    ['larger than 64 KiB', (path) => writeFile(path, `{PLAIN}${'y'.repeat(65_536)}`)],
    ['not UTF-8', (path) => writeFile(path, Buffer.from([0x7b, 0xff]))],
    ['neither form', (path) => writeFile(path, 'hunter2\n')],
  ]
  it.each(strange)('are neither there nor not there when their file is %s', async (_, make) => {
    const tree = await plant(oneDomain())
    await make(tree.userFile(DOMAIN, 'bob'), tree.root)
    await expect(tree.directory.user(bob)).rejects.toThrow()
    await expect(tree.directory.resolve(bob)).rejects.toThrow()
    expect(await count(tree, alice)).toBe(1)
  })

  it('are not declared unknown when the whole database is gone', async () => {
    const tree = await plant(oneDomain())
    await rename(join(tree.root, DOMAIN), join(tree.root, 'unmounted'))
    await expect(tree.directory.user(alice)).rejects.toThrow(/ENOENT/)
    await expect(tree.directory.resolve(bob)).rejects.toThrow(/ENOENT/)
  })

  it('log in from a file that all may read only if nobody else gets to it', async () => {
    const tree = await plant(oneDomain())
    const file = tree.userFile(DOMAIN, 'alice')
    await chmod(file, 0o644)
    await chmod(join(tree.root, DOMAIN), 0o755)
    expect(await tree.directory.user(alice)).not.toBeNull()
    await chmod(join(file, '..'), 0o755)
    await expect(tree.directory.user(alice)).rejects.toThrow(`chmod 600 ${file}`)
    expect(await count(tree, alice)).toBe(1)
    await chmod(join(tree.root, DOMAIN), 0o700)
    expect(await tree.directory.user(alice)).not.toBeNull()
  })
})

describe('aliases in a file', () => {
  const team: Address = { local: 'team', domain: DOMAIN }

  it('are taken up when the file changes, appears or goes', async () => {
    const { clock, options } = stage()
    const tree = await plant(oneDomain(), options)
    expect(await count(tree, team)).toBe(0)
    await writeFile(tree.aliasFile(DOMAIN), 'team: alice\n')
    expect(await count(tree, team)).toBe(0)
    clock.time += 500
    expect(await count(tree, team)).toBe(1)
    await rm(tree.aliasFile(DOMAIN))
    clock.time += 500
    expect(await count(tree, team)).toBe(1)
    clock.time += 10_000
    expect(await count(tree, team)).toBe(0)
  })

  it('that are short, empty or gone for a moment keep their last good copy', async () => {
    const { clock, options } = stage()
    const tree = await plant(oneDomain('one: alice\nteam: alice\n'), options)
    expect(await count(tree, team)).toBe(1)
    await writeFile(tree.aliasFile(DOMAIN), '')
    for (let waited = 0; waited < 9_000; waited += 500) {
      clock.time += 500
      expect(await count(tree, team)).toBe(1)
    }
    await writeFile(tree.aliasFile(DOMAIN), 'one: alice\n')
    clock.time += 500
    expect(await count(tree, team)).toBe(1)
    clock.time += 500
    expect(await count(tree, team)).toBe(0)
  })

  it('stay as they were while the file is broken, and the log says where, once', async () => {
    const { clock, lines, options } = stage()
    const tree = await plant(oneDomain('team: alice\n'), options)
    expect(await count(tree, team)).toBe(1)
    await writeFile(tree.aliasFile(DOMAIN), 'other: alice\nteam alice\n')
    for (let look = 0; look < 3; look++) {
      clock.time += 500
      expect(await count(tree, team)).toBe(1)
    }
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(`${tree.aliasFile(DOMAIN)}:2: expected`)
    await writeFile(tree.aliasFile(DOMAIN), 'mended: alice\n')
    clock.time += 500
    expect(await count(tree, team)).toBe(0)
  })

  it('that never could be read make every name wait but users, postmaster and abuse', async () => {
    const { options } = stage()
    const tree = await plant(oneDomain('"broken\n'), options)
    expect(await count(tree, alice)).toBe(1)
    const refused = tree.directory.resolve({ local: 'team', domain: DOMAIN })
    expect(await refused.catch(code)).toBe(451)
    for (const local of ['postmaster', 'abuse']) {
      const [target] = await tree.directory.resolve({ local, domain: DOMAIN })
      expect(target).toMatchObject({ user: { local: 'postmaster' } })
    }
  })

  it('survive a reload of the settings', async () => {
    const tree = await plant(oneDomain('team: alice\n'), stage().options)
    expect(await count(tree, team)).toBe(1)
    const settings = {
      path: join(tree.root, DOMAIN),
      aliases: tree.aliasFile(DOMAIN),
      bounceToPostmaster: true,
    }
    await writeFile(tree.aliasFile(DOMAIN), '"broken\n')
    const domains = { [DOMAIN]: settings, 'new.example': settings }
    tree.directory.reconfigure({ domains, defaultDomain: 'new.example' })
    expect(await count(tree, team)).toBe(1)
    expect(await count(tree, { local: 'ghost', domain: DOMAIN })).toBe(1)
    expect(tree.directory.qualify('x')).toEqual({ local: 'x', domain: 'new.example' })
    tree.directory.reconfigure({ domains: {}, defaultDomain: null })
    expect(await tree.directory.owns(DOMAIN)).toBe(false)
  })

  it('may be a link, but nothing that one waits for', async () => {
    const tree = await plant(oneDomain())
    await writeFile(join(tree.root, 'shared'), 'team: alice\n')
    await symlink(join(tree.root, 'shared'), tree.aliasFile(DOMAIN))
    expect(await count(tree, team)).toBe(1)
    const other = await plant(oneDomain(), stage().options)
    execFileSync('mkfifo', [other.aliasFile(DOMAIN)])
    expect(await other.directory.resolve(team).catch(code)).toBe(451)
  })
})
