/**
 * Only a QUIT that was answered removes mail (RFC 1939 section 6): what becomes of the marks when a
 * session, or the server, ends in another way (P4 to P6). For kills in its middle see test/crash.
 */
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { logIn } from '../helpers/mail-talk.js'
import { powerless } from '../helpers/powerless.js'
import { testUnless } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ALICE = `alice@${DOMAIN}`
const CONTENT = 'Subject: x\n\nhello\n'
const wrap = await powerless()
const noWay = wrap === null ? 'root can not give up its powers here' : null

let site: Site
afterEach(() => site.remove())

/** A site where alice has so many messages, named 1000.m.h and on. */
async function withMail(count: number): Promise<string> {
  site = await Site.create()
  await site.users('alice')
  const box = join(site.mail, 'alice')
  for (const folder of ['new', 'cur', 'tmp'])
    await mkdir(join(box, folder), { recursive: true, mode: 0o700 })
  const size = `S=${CONTENT.length},W=${CONTENT.length + 3}`
  for (let n = 0; n < count; n++)
    await writeFile(join(box, 'new', `${1000 + n}.m.h,${size}`), CONTENT, { mode: 0o600 })
  return box
}

/** A session of alice's; right after another one ended it may take a moment. */
async function session(server: RunningServer): Promise<Talk> {
  for (;;) {
    const talk = await Talk.to(server.port('pop3'))
    const reply = await logIn(talk, ALICE, PASSWORD)
    if (reply.startsWith('+OK')) return talk
    expect(reply).toMatch(/^-ERR \[IN-USE\]/)
    talk.close()
  }
}

/** The unique parts of the names of all messages in a Maildir folder. */
async function messagesIn(box: string): Promise<string[]> {
  const names = await Promise.all(['new', 'cur'].map((folder) => readdir(join(box, folder))))
  return names
    .flat()
    .map((name) => name.split(',')[0]!)
    .toSorted()
}

async function mark(talk: Talk, numbers: readonly number[]): Promise<void> {
  talk.send(numbers.map((n) => `DELE ${n}\r\n`).join(''))
  for (const n of numbers) expect(await talk.line(), `DELE ${n}`).toMatch(/^\+OK/)
}

describe('a POP3 session that ends without QUIT', () => {
  test.each<[string, (talk: Talk) => void]>([
    ['close', (talk) => talk.close()],
    ['reset', (talk) => talk.reset()],
  ])('by a %s of the connection removes nothing (P4)', async (_, end) => {
    const box = await withMail(3)
    const server = await site.start()
    const talk = await session(server)
    await mark(talk, [1, 3])
    end(talk)
    const next = await session(server)
    expect(await next.ask('STAT')).toMatch(/^\+OK 3 /)
    expect(await messagesIn(box)).toHaveLength(3)
    next.close()
  })

  test('because the server was killed removes nothing, and holds the mailbox no longer (P4, P6)', async () => {
    const box = await withMail(3)
    const server = await site.start()
    const talk = await session(server)
    await mark(talk, [1, 3])
    await server.kill('SIGKILL')
    const again = await site.start()
    const next = await Talk.to(again.port('pop3'))
    expect(await logIn(next, ALICE, PASSWORD)).toMatch(/^\+OK 3 /)
    expect(await messagesIn(box)).toHaveLength(3)
    next.close()
  })
})

describe('a QUIT', () => {
  testUnless(noWay, 'that may not remove says so and removes nothing (P5)', async () => {
    const box = await withMail(3)
    const server = await site.start(wrap!)
    const talk = await session(server)
    await mark(talk, [1, 3])
    await chmod(join(box, 'new'), 0o500)
    expect(await talk.ask('QUIT')).toMatch(/^-ERR \[SYS\/(TEMP|PERM)\] /)
    await chmod(join(box, 'new'), 0o700)
    expect(await messagesIn(box)).toHaveLength(3)
    const next = await session(server)
    expect(await next.ask('STAT')).toMatch(/^\+OK 3 /)
    next.close()
  })
})
