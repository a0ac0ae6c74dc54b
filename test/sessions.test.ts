import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../src/config/config.js'
import { byProtocol } from '../src/config/protocols.js'
import { FileLocks } from '../src/locks/files.js'
import { type Fields, type Log, silent } from '../src/log/log.js'
import { fromBuffer } from '../src/mail/message.js'
import { Server } from '../src/server.js'
import { Maildirs } from '../src/store/maildirs.js'
import { plant } from './helpers/domain-tree.js'
import { addressOf } from './helpers/mail-world.js'
import { plainConfig } from './helpers/plain-config.js'
import { Talk } from './helpers/talk.js'

const DOMAIN = 'example.com'
const ALICE = `alice@${DOMAIN}`
const ONLY_PASSWORDS = { apop: 'off', scram: 'off' } as const
/** Seconds of silence that every session has behind it soon. */
const AN_INSTANT = 0.001
const AN_HOUR = 3_600

/** A server with one message for alice. */
async function started(takeoverAfter = 0) {
  const tree = await plant({ domains: { [DOMAIN]: { users: { alice: '{PLAIN}secret' } } } })
  const home = join(tree.root, DOMAIN, 'alice')
  const roots = () => [tree.root]
  const store = new Maildirs({ home: () => home, roots, host: 'mx', reserveBytes: 0 })
  await store.append(addressOf(ALICE), fromBuffer(Buffer.from('Subject: x\n\nhello\n')))
  const plain = plainConfig(tree, DOMAIN, {
    listen: byProtocol((protocol) => (protocol === 'pop3' ? ['127.0.0.1:0'] : [])),
  })
  const config: Config = { ...plain, pop3: { ...plain.pop3, ...ONLY_PASSWORDS, takeoverAfter } }
  const events: (Fields & { event: string })[] = []
  const info = (event: string, fields: Fields = {}): void => void events.push({ event, ...fields })
  const log: Log = { ...silent, info }
  const server = new Server(config, log)
  await server.start()
  onTestFinished(() => server.stop())
  const kept = async () =>
    (await readdir(join(home, 'new'))).concat(await readdir(join(home, 'cur')))
  return { server, config, events, kept, home, port: server.addresses()[0]!.port! }
}

async function connected(port: number): Promise<Talk> {
  const talk = await Talk.to(port)
  onTestFinished(() => talk.close())
  await talk.reply()
  await talk.ask('USER alice')
  return talk
}

/** A session of alice's, once she may have one. */
async function loggedIn(port: number): Promise<Talk> {
  const talk = await connected(port)
  await expect
    .poll(() => talk.ask('PASS secret').then((line) => again(talk, line)))
    .toMatch(/^\+OK/)
  return talk
}

/** After a refusal the name has to be given again. */
async function again(talk: Talk, line: string): Promise<string> {
  if (!line.startsWith('+OK')) await talk.ask('USER alice')
  return line
}

describe('a mailbox', () => {
  test('is had by one of fifty who log in at once, and by the next one when that one is gone', async () => {
    const { port } = await started()
    const talks = await Promise.all(Array.from({ length: 50 }, () => connected(port)))
    const answers = await Promise.all(talks.map((talk) => talk.ask('PASS secret')))
    const refused = answers.filter((line) => line.startsWith('-ERR [IN-USE]'))
    const winners = talks.filter((_, i) => answers[i]!.startsWith('+OK'))
    expect([winners.length, refused.length]).toEqual([1, 49])
    winners[0]!.close()
    await loggedIn(port)
  })

  test('goes to a newer login when its session was silent, which ends without a word or a removal', async () => {
    const { port, events, kept } = await started(AN_INSTANT)
    const old = await loggedIn(port)
    expect(await old.ask('DELE 1')).toMatch(/^\+OK/)
    const talk = await loggedIn(port)
    expect(await old.rest()).toBe('')
    expect(await talk.ask('STAT')).toMatch(/^\+OK 1 /)
    expect(await kept()).toHaveLength(1)
    const why = 'taken over by a newer login'
    await expect
      .poll(() => events)
      .toContainEqual(expect.objectContaining({ event: 'pop3 logout', why }))
    expect(await talk.ask('DELE 1')).toMatch(/^\+OK/)
    expect(await talk.ask('QUIT')).toMatch(/^\+OK/)
    expect(await kept()).toHaveLength(0)
  })

  test.each([
    ['never', 0],
    ['not yet', AN_HOUR],
  ])('is %s taken from a session with takeover_after = %d', async (_, takeoverAfter) => {
    const { port } = await started(takeoverAfter)
    const old = await loggedIn(port)
    const talk = await connected(port)
    expect(await talk.ask('PASS secret')).toMatch(/^-ERR \[IN-USE\]/)
    expect(await old.ask('NOOP')).toMatch(/^\+OK/)
  })

  test('that another process has taken loses its idle session without a word, within seconds', async () => {
    const { port, config, events } = await started()
    const talk = await loggedIn(port)
    const others = await FileLocks.open(join(config.state, 'locks'), { publishMs: 0 })
    expect(await others.tryAcquire(`mailbox:${ALICE}`, 0)).not.toBeNull()
    expect(await talk.rest()).toBe('')
    const why = 'taken over by a newer login'
    await expect
      .poll(() => events)
      .toContainEqual(expect.objectContaining({ event: 'pop3 logout', why }))
  })

  test('that another process has taken keeps its mail at QUIT, which says so', async () => {
    const { port, config, kept } = await started()
    const talk = await loggedIn(port)
    await talk.ask('DELE 1')
    const others = await FileLocks.open(join(config.state, 'locks'), { publishMs: 0 })
    expect(await others.tryAcquire(`mailbox:${ALICE}`)).toBeNull()
    const lease = await others.tryAcquire(`mailbox:${ALICE}`, 0)
    expect(lease?.valid()).toBe(true)
    expect(await talk.ask('QUIT')).toMatch(/^-ERR \[SYS\/TEMP\]/)
    expect(await kept()).toHaveLength(1)
    expect(lease?.valid()).toBe(true)
    const next = await connected(port)
    expect(await next.ask('PASS secret')).toMatch(/^-ERR \[IN-USE\]/)
  })
})

describe('a header in UTF-8', () => {
  test('is for every client, until a reload makes it strict', async () => {
    const { server, port, config, home } = await started()
    await writeFile(join(home, 'new', '1.a.h'), 'Subject: grüße\n\n')
    const talk = await loggedIn(port)
    expect(await talk.ask('TOP 1 0')).toMatch(/^\+OK/)
    await talk.text()
    await server.reload({ ...config, pop3: { ...config.pop3, utf8: 'strict' } })
    expect(await talk.ask('TOP 1 0')).toMatch(/^-ERR \[UTF8\]/)
    expect(await talk.ask('TOP 2 0')).toMatch(/^\+OK/)
  })
})
