import { chmod, chown, link, lstat, mkdir, readdir, rm, stat, symlink } from 'node:fs/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { giveToOwnerOf } from '../../cli/ownership.js'
import { oneLine, Workplace } from './workplace.js'

/** Owns the domain; the administrator who runs the commands is root. */
const OWNER = 1_000
const GENERATE = '--generate'

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
