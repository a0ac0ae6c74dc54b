/**
 * What POP3 shows of a Maildir in which others work, too, or in which things lie that are no
 * messages (P7, P8, P11, P12).
 */
import { execFileSync } from 'node:child_process'
import {
  chmod,
  chown,
  link,
  mkdir,
  readdir,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { belowTrace, deliver, fetchAll, logIn } from '../helpers/mail-talk.js'
import { powerless } from '../helpers/powerless.js'
import { testUnless } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ALICE = `alice@${DOMAIN}`
const BOB = `bob@${DOMAIN}`
const letter = (subject: string): string => `Subject: ${subject}\r\n\r\nhello\r\n`
const GOOD = 'Subject: good\n\nhello\n'
const STRANGER = 12_345
const wrap = await powerless()
const rootless = process.getuid?.() === 0 ? null : 'only root can give a file to another owner'

let site: Site
let box: string
beforeEach(async () => {
  site = await Site.create()
  await site.users('alice', 'bob')
  box = join(site.mail, 'alice')
  for (const user of ['alice', 'bob'])
    for (const folder of ['new', 'cur', 'tmp'])
      await mkdir(join(site.mail, user, folder), { recursive: true, mode: 0o700 })
})
afterEach(() => site.remove())

async function session(server: RunningServer): Promise<Talk> {
  const talk = await Talk.to(server.port('pop3'))
  expect(await logIn(talk, ALICE, PASSWORD)).toMatch(/^\+OK/)
  return talk
}

async function uidl(server: RunningServer): Promise<string[]> {
  const talk = await session(server)
  expect(await talk.ask('UIDL')).toMatch(/^\+OK/)
  const lines = (await talk.text()).toString('latin1').trimEnd().split('\r\n')
  await talk.ask('QUIT')
  return lines
}

/** What another mail program does with mail that it has shown. */
async function show(flags: string): Promise<void> {
  for (const name of await readdir(join(box, 'new')))
    await rename(join(box, 'new', name), join(box, 'cur', `${name}:2,${flags}`))
}

describe('a session', () => {
  test('keeps its numbers while mail comes and other programs move it (P7)', async () => {
    const server = await site.start()
    for (const subject of ['one', 'two']) await deliver(server.port('smtp'), ALICE, letter(subject))
    const talk = await session(server)
    await deliver(server.port('smtp'), ALICE, letter('three'))
    await show('S')
    expect(await talk.ask('STAT')).toMatch(/^\+OK 2 /)
    for (const [at, subject] of ['one', 'two'].entries()) {
      expect(await talk.ask(`RETR ${at + 1}`)).toMatch(/^\+OK/)
      expect(belowTrace(await talk.text()).toString()).toBe(letter(subject))
    }
    expect(await talk.ask('RETR 3')).toMatch(/^-ERR/)
    expect(await talk.ask('DELE 1')).toMatch(/^\+OK/)
    expect(await talk.ask('QUIT')).toMatch(/^\+OK/)
    const left = await fetchAll(server.port('pop3'), ALICE, PASSWORD)
    expect(left.map((message) => belowTrace(message).toString())).toEqual(
      ['two', 'three'].map(letter),
    )
  })
})

describe('the ids of messages', () => {
  test('are those of the files, whatever stands in them, and stay (P8)', async () => {
    const server = await site.start()
    const evil = `X-UIDL: evil\r\nX-UIDL: ../evil 2\r\n${letter('twin')}`
    for (let n = 0; n < 3; n++) await deliver(server.port('smtp'), ALICE, evil)
    const before = await uidl(server)
    const ids = before.map((line) => line.split(' ')[1]!)
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(/^[!-~]{1,70}$/)
    expect(before.join()).not.toContain('evil')
    await show('S')
    expect(await uidl(server)).toEqual(before)
    for (const name of await readdir(join(box, 'cur')))
      await rename(join(box, 'cur', name), join(box, 'cur', name.replace(/:2,S$/, ':2,FRS')))
    await server.kill('SIGTERM')
    expect(await uidl(await site.start())).toEqual(before)
  })
})

describe('what is no message any more, or never was', () => {
  test('is refused for now, each for itself, and the session goes on (P11)', async () => {
    const at = (name: string): string => join(box, 'new', name)
    const bobs = join(site.mail, 'bob', 'new', '1.secret.h')
    await writeFile(bobs, GOOD, { mode: 0o600 })
    await writeFile(at('1.good.h'), GOOD, { mode: 0o600 })
    await mkdir(at('2.directory.h,S=5,W=5'))
    execFileSync('mkfifo', [at('3.fifo.h,S=5,W=5')])
    await symlink('/etc/passwd', at('4.link.h,S=5,W=5'))
    await symlink(bobs, at('5.link.h,S=20,W=23'))
    await writeFile(at('6.empty.h'), '', { mode: 0o600 })
    for (const name of ['7.gone.h', '8.closed.h', '9.good.h'])
      await writeFile(at(name), GOOD, { mode: 0o600 })
    const server = await site.start(wrap ?? [])
    const talk = await session(server)
    await unlink(at('7.gone.h'))
    await chmod(at('8.closed.h'), 0)
    // Root reads what it likes, where it can not give that up.
    const closed = wrap === null ? [] : [8]
    for (const n of [2, 3, 4, 5, 7, ...closed])
      for (const command of [`RETR ${n}`, `TOP ${n} 1`])
        expect(await talk.ask(command), command).toMatch(/^-ERR \[SYS\/(TEMP|PERM)\] /)
    expect(await talk.ask('RETR 6')).toBe('+OK 0 octets')
    expect((await talk.text()).toString()).toBe('')
    for (const n of [1, 9]) {
      expect(await talk.ask(`RETR ${n}`)).toBe(`+OK ${GOOD.length + 3} octets`)
      expect((await talk.text()).toString()).toBe(GOOD.replaceAll('\n', '\r\n'))
    }
    expect(await talk.ask('QUIT')).toMatch(/^\+OK/)
  })
})

describe('a way into the mailbox of somebody else', () => {
  const bobBox = (): string => join(site.mail, 'bob')

  test.each<[string, () => Promise<void>]>([
    [
      'a link in place of new',
      async () => {
        await rm(join(box, 'new'), { recursive: true })
        await symlink(join(bobBox(), 'new'), join(box, 'new'))
      },
    ],
    [
      'a link in place of the mailbox',
      async () => {
        await rm(box, { recursive: true })
        await symlink(bobBox(), box)
      },
    ],
  ])('is closed: %s, and nobody else is the worse for it (P12)', async (_, make) => {
    const server = await site.start()
    expect(await deliver(server.port('smtp'), BOB, letter('private'))).toMatch(/^250 /)
    await make()
    const talk = await Talk.to(server.port('pop3'))
    expect(await logIn(talk, ALICE, PASSWORD)).toMatch(/^-ERR \[SYS\/(TEMP|PERM)\] /)
    talk.close()
    expect(await deliver(server.port('smtp'), ALICE, letter('astray'))).toMatch(/^451 4\.2\.0 /)
    const bobs = await fetchAll(server.port('pop3'), BOB, PASSWORD)
    expect(bobs.map((message) => belowTrace(message).toString())).toEqual([letter('private')])
  })

  testUnless(rootless, 'is closed: a hard link to a file of another owner (P12)', async () => {
    const secret = join(site.mail, 'bob', 'secret')
    await writeFile(secret, GOOD, { mode: 0o600 })
    await chown(secret, STRANGER, STRANGER)
    await link(secret, join(box, 'new', `1.link.h,S=${GOOD.length},W=${GOOD.length + 3}`))
    await writeFile(join(box, 'new', '2.good.h'), GOOD, { mode: 0o600 })
    const talk = await session(await site.start())
    expect(await talk.ask('RETR 1')).toMatch(/^-ERR \[SYS\/TEMP\] /)
    expect(await talk.ask('RETR 2')).toMatch(/^\+OK/)
    await talk.text()
    expect(await talk.ask('QUIT')).toMatch(/^\+OK/)
  })
})
