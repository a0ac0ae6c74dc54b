import { chmod, chown, link, lstat, mkdir, readdir, rm, stat, symlink } from 'node:fs/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { giveToOwnerOf } from '../../cli/ownership.js'
import { oneLine, Workplace } from './workplace.js'

/** Owns the domain; the administrator who runs the commands is root. */
const OWNER = 1_000
const GENERATE = '--generate'
const ALICE = 'alice@example.com'

beforeEach(({ skip }) => {
  if (process.getuid?.() !== 0) skip('only root can give files away: run these tests as root, too')
})

/** A domain of somebody else's, and a directory that only root gets into, with a user file in it. */
async function withTarget(): Promise<Workplace> {
  const place = await Workplace.withFiles()
  await mkdir(place.file('secret'), { mode: 0o700 })
  await place.write('secret/alice', '{PLAIN}roots own\n')
  await chown(place.file('Maildir'), OWNER, OWNER)
  await rm(place.file('Maildir/.users'), { recursive: true })
  return place
}

async function expectUntouched(place: Workplace): Promise<void> {
  for (const name of ['secret', 'secret/alice']) {
    const { uid, gid } = await lstat(place.file(name))
    expect([name, uid, gid]).toEqual([name, 0, 0])
  }
  expect(await readdir(place.file('secret'))).toEqual(['alice'])
  expect(await place.read('secret/alice')).toBe('{PLAIN}roots own\n')
}

describe('what root makes in a domain', () => {
  test('belongs to the owner of the domain', async () => {
    const place = await Workplace.withConfig()
    await chown(place.file('Maildir'), OWNER, OWNER)
    expect((await place.mailtap(['user', 'add', 'alice', GENERATE])).code).toBe(0)
    expect((await place.mailtap(['user', 'passwd', 'alice', GENERATE])).code).toBe(0)
    const made = ['.users', '.users/alice', 'alice', 'alice/tmp', 'alice/new', 'alice/cur']
    for (const name of made) {
      const { uid, gid } = await stat(place.file(`Maildir/${name}`))
      expect([name, uid, gid]).toEqual([name, OWNER, OWNER])
    }
  })

  test('of the account of a quota belongs to the owner of the domain', async () => {
    const place = await withTarget()
    const user = 'password = "{PLAIN}x"\nquota = "1 messages"\n'
    await place.write('Maildir/.users/alice', user)
    for (const [input, code] of [
      ['first', 0],
      ['second', 75],
    ] as const) {
      const outcome = await place.mailtap(['mailbox', 'deliver', ALICE], { input: `${input}\n` })
      expect(outcome.code).toBe(code)
      const names = await readdir(place.file('Maildir/alice'), { recursive: true })
      // The account is begun when there is something to count.
      const account = code === 0 ? ['quotawarn'] : ['maildirsize', 'quotawarn']
      expect(names).toEqual(expect.arrayContaining(account))
      for (const name of names)
        expect([name, (await lstat(place.file(`Maildir/alice/${name}`))).uid]).toEqual([
          name,
          OWNER,
        ])
    }
  })

  test('belongs to the owner of a domain that is a link itself, too', async () => {
    const place = await Workplace.withFiles()
    await mkdir(place.file('elsewhere'), { mode: 0o700 })
    await chown(place.file('elsewhere'), OWNER, OWNER)
    await rm(place.file('Maildir'), { recursive: true })
    await symlink('elsewhere', place.file('Maildir'))
    expect((await place.mailtap(['user', 'add', 'alice', GENERATE])).code).toBe(0)
    expect((await stat(place.file('elsewhere/.users/alice'))).uid).toBe(OWNER)
  })
})

describe('a link that the owner of a domain put there', () => {
  test.each([
    ['create', ['create', '-o', 'new.toml', '-d', 'b.org=./Maildir', '-u', 'bob']],
    ['user add', ['user', 'add', 'bob', GENERATE]],
    ['user passwd', ['user', 'passwd', 'alice', GENERATE]],
    ['user remove', ['user', 'remove', 'alice']],
  ])('in place of .users is refused by %s', async (_command, args) => {
    const place = await withTarget()
    await symlink(place.file('secret'), place.file('Maildir/.users'))
    const outcome = await place.mailtap(args)
    expect(outcome.code).toBe(73)
    expect(oneLine(outcome)).toMatch(
      /\/Maildir\/\.users: a link or a file, not a directory; remove/,
    )
    await expectUntouched(place)
  })

  test('in place of .users is told by check', async () => {
    const place = await withTarget()
    await symlink(place.file('secret'), place.file('Maildir/.users'))
    const { code, err } = await place.mailtap(['check'])
    expect([code, err]).toEqual([78, expect.stringContaining('/.users: a link or a file')])
  })

  test('in place of a mailbox or a user file is refused', async () => {
    const place = await withTarget()
    await mkdir(place.file('Maildir/.users'), { mode: 0o700 })
    await symlink(place.file('secret'), place.file('Maildir/bob'))
    const mailbox = await place.mailtap(['user', 'add', 'bob', GENERATE])
    expect([mailbox.code, oneLine(mailbox)]).toEqual([73, expect.stringContaining('/Maildir/bob ')])
    await symlink(place.file('secret/alice'), place.file('Maildir/.users/alice'))
    const user = await place.mailtap(['user', 'passwd', 'alice', GENERATE])
    expect([user.code, oneLine(user)]).toEqual([
      73,
      `${place.file('Maildir/.users/alice')}: a symbolic link where none may be; remove it`,
    ])
    await expectUntouched(place)
  })

  test.each(['link', 'link/alice', 'hard'])('as %s gives away nothing', async (name) => {
    const place = await withTarget()
    const domain = place.file('Maildir')
    await symlink(place.file('secret'), place.file('Maildir/link'))
    await link(place.file('secret/alice'), place.file('Maildir/hard'))
    await chmod(domain, 0o700)
    await expect(giveToOwnerOf(domain, [place.file(`Maildir/${name}`)])).rejects.toThrow(
      /link|ELOOP/,
    )
    await rm(place.file('Maildir/hard'))
    await expectUntouched(place)
  })
})

describe('what root makes in the state directory', () => {
  test('of locks belongs to the owner of it, and what an earlier run left is put right', async () => {
    const place = await withTarget()
    await mkdir(place.file('mailtap-state'), { mode: 0o700 })
    await chown(place.file('mailtap-state'), OWNER, OWNER)
    await place.mailtap(['user', 'add', 'alice', GENERATE])
    const fix = ['mailbox', 'check', 'alice', '--fix']
    const foreign = async (): Promise<string[]> => {
      const names = ['', ...(await readdir(place.file('mailtap-state/locks')))]
      const owners = names.map(async (name) => (await stat(lock(name))).uid)
      const uids = await Promise.all(owners)
      return names.filter((_, at) => uids[at] !== OWNER)
    }
    const lock = (name: string): string => place.file(`mailtap-state/locks/${name}`)
    expect((await place.mailtap(fix)).code).toBe(0)
    expect(await readdir(lock(''))).toHaveLength(256)
    expect(await foreign()).toEqual([])
    for (const name of ['00', '7f', 'ff']) await chown(lock(name), 0, 0)
    expect((await place.mailtap(fix)).code).toBe(0)
    expect(await foreign()).toEqual([])
  })

  test.each(['locks', 'locks/00'])('is never made through a link in place of %s', async (name) => {
    const place = await withTarget()
    await place.mailtap(['user', 'add', 'alice', GENERATE])
    await mkdir(place.file('mailtap-state/locks'), { recursive: true, mode: 0o700 })
    for (const each of ['', '/locks']) await chown(place.file(`mailtap-state${each}`), OWNER, OWNER)
    await rm(place.file(`mailtap-state/${name}`), { recursive: true, force: true })
    await symlink(place.file('secret'), place.file(`mailtap-state/${name}`))
    const outcome = await place.mailtap(['mailbox', 'check', 'alice', '--fix'])
    expect([outcome.code, oneLine(outcome)]).toEqual([73, expect.stringContaining('symbolic link')])
    await expectUntouched(place)
  })
})

describe('a mailbox that belongs to somebody else and has hard links', () => {
  const STRANGER = 1_001

  test.each([
    ['import in its own place', ['import', '--from', 'qmail', 'Maildir/alice', ALICE]],
    ['import in its own place, tried', ['import', '--from', 'qmail', 'Maildir/alice', ALICE, '-n']],
    ['import of a Maildir', ['import', '--from', 'maildir', 'other', ALICE]],
    ['import of an mbox', ['import', '--from', 'mbox', 'mbox', ALICE]],
    ['check --fix', ['check', ALICE, '--fix']],
  ])('is refused by %s before anything is changed', async (_command, args) => {
    const place = await withTarget()
    const box = 'Maildir/alice'
    for (const each of [box, 'other'])
      for (const part of ['new', 'cur', 'tmp'])
        await mkdir(place.file(`${each}/${part}`), { recursive: true })
    await place.write(`${box}/cur/1.a.h:2,S`, 'a\n')
    await place.write('other/cur/2.b.h:2,S', 'b\n')
    await place.write('mbox', 'From a@b Thu Jan  1 00:00:00 1970\nb\n\n')
    await link(place.file(`${box}/cur/1.a.h:2,S`), place.file('second'))
    for (const each of ['', '/new', '/cur', '/tmp', '/cur/1.a.h:2,S'])
      await chown(place.file(`${box}${each}`), STRANGER, STRANGER)
    const outcome = await place.mailtap(['mailbox', ...args])
    expect([outcome.code, outcome.out, oneLine(outcome)]).toEqual([
      73,
      '',
      expect.stringMatching(/1\.a\.h:2,S: belongs to uid 1001 and has a second name elsewhere/),
    ])
    const all = await readdir(place.file(box), { recursive: true })
    expect(all.toSorted()).toEqual(['cur', 'cur/1.a.h:2,S', 'new', 'tmp'])
    for (const each of all) expect((await lstat(place.file(`${box}/${each}`))).uid).toBe(STRANGER)
  })
})
