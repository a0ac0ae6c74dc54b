/**
 * The server is killed while mail comes in: whatever it said 250 to is there, whole, when it runs
 * again.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { belowTrace, beginData, expectCode, fetchAll } from '../helpers/mail-talk.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ALICE = `alice@${DOMAIN}`
const SENDERS = 8
const ROUNDS = 4
/** Acknowledged messages after which the kill comes: in the middle of the others. */
const KILL_AFTER = 25
const FILLING = `${'filling '.repeat(9)}\r\n`.repeat(60)

/** Sends until the server is gone. @param acked collects what it said 250 to */
async function sendUntilGone(port: number, acked: Map<string, string>, enough: () => void) {
  try {
    const talk = await Talk.to(port)
    await expectCode(talk.reply(), 220)
    await expectCode(talk.ask('EHLO client.example'), 250)
    for (;;) {
      const id = randomUUID()
      const message = `Message-ID: <${id}@client.example>\r\n\r\n${FILLING}END ${id}\r\n`
      await beginData(talk, ALICE)
      talk.send(`${message}.\r\n`)
      await expectCode(talk.reply(), 250)
      acked.set(id, message)
      if (acked.size === KILL_AFTER) enough()
    }
  } catch {
    // The kill; a sender that fails for another reason shows as one that acknowledged nothing.
  }
}

async function killedWhileSending(server: RunningServer): Promise<Map<string, string>> {
  const acked = new Map<string, string>()
  const enough = (): void => server.signal('SIGKILL')
  const port = server.port('smtp')
  await Promise.all(Array.from({ length: SENDERS }, () => sendUntilGone(port, acked, enough)))
  expect(await server.ended()).toEqual({ code: null, signal: 'SIGKILL' })
  return acked
}

describe('a server that is killed', () => {
  let site: Site
  beforeAll(async () => {
    site = await Site.create()
    await site.users('alice')
  })
  afterAll(() => site.remove())

  test('starts again at once and has every message that it acknowledged, whole', async () => {
    const acked = new Map<string, string>()
    for (let round = 0; round < ROUNDS; round++) {
      const server = await site.start()
      for (const [id, message] of await killedWhileSending(server)) acked.set(id, message)
    }
    expect(acked.size).toBeGreaterThanOrEqual(ROUNDS * KILL_AFTER)

    const server = await site.start()
    const messages = await fetchAll(server.port('pop3'), ALICE, PASSWORD)
    const arrived = new Map<string, string>()
    for (const message of messages) {
      const text = belowTrace(message).toString()
      const id = /^Message-ID: <(.*)@/.exec(text)?.[1] ?? ''
      expect(text.endsWith(`END ${id}\r\n`), `${id} is whole`).toBe(true)
      expect(arrived.has(id), `${id} came once`).toBe(false)
      arrived.set(id, text)
    }
    for (const [id, message] of acked) expect(arrived.get(id), id).toBe(message)
    console.log(`${ROUNDS} kills: ${acked.size} acknowledged, ${arrived.size} arrived, 0 lost`)
  })
})
