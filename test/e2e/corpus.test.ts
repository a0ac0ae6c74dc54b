/**
 * Real and malformed messages go in by SMTP and come out of POP3 byte for byte, or are refused for
 * what SMTP forbids.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { type Case, CORPUS, noCorpus, readCorpus } from '../helpers/corpus.js'
import { beginData, belowTrace, expectCode, fetchAll, stuffed } from '../helpers/mail-talk.js'
import { testUnless } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

/** 521 also ends the connection. */
const REPLIES = {
  accepted: /^250 2\.0\.0 /,
  'bare CR or LF': /^521 5\.5\.2 /,
  NUL: /^550 5\.6\.0 /,
}

describe('the corpus', () => {
  let site: Site
  let server: RunningServer

  beforeAll(async () => {
    site = await Site.create()
    await site.users('plain', 'tls')
    server = await site.start()
  })
  afterAll(() => site.remove())

  /**
   * Sends them all, over as few connections as the server allows.
   * @returns how many replies each fate got
   */
  async function send(cases: readonly Case[], to: string, secure: boolean) {
    const counts = { accepted: 0, 'bare CR or LF': 0, NUL: 0 }
    let talk: Talk | null = null
    for (const { name, bytes, fate } of cases) {
      talk ??= await greeted(server.port('smtp'), secure)
      await beginData(talk, to)
      await talk.sendAll(stuffed(bytes))
      expect(await talk.reply(), name).toMatch(REPLIES[fate])
      counts[fate]++
      if (fate !== 'bare CR or LF') continue
      expect(await talk.rest(), name).toBe('')
      talk = null
    }
    talk?.close()
    return counts
  }

  for (const secure of [false, true]) {
    const how = secure ? 'inside TLS' : 'in clear'
    testUnless(noCorpus, `goes in and comes out unchanged ${how}, or is refused`, async () => {
      const cases = readCorpus()
      const to = `${secure ? 'tls' : 'plain'}@${DOMAIN}`
      expect(cases.length).toBeGreaterThan(200)
      const counts = await send(cases, to, secure)
      const good = cases.filter(({ fate }) => fate === 'accepted')
      expect(counts).toEqual(countBy(cases, ({ fate }) => fate))
      const messages = await fetchAll(server.port('pop3'), to, PASSWORD)
      expect(messages).toHaveLength(good.length)
      // Two may come in one microsecond and so change places.
      const arrived = messages.map((message) => belowTrace(message).toString('latin1')).toSorted()
      const sent = good.map(({ bytes }) => bytes.toString('latin1')).toSorted()
      expect(arrived).toEqual(sent)
      console.log(`${CORPUS} ${how}: ${cases.length} messages, ${JSON.stringify(counts)};`)
      console.log(`  sent ${JSON.stringify(countBy(cases, ({ change }) => change))}`)
    })
  }
})

async function greeted(port: number, secure: boolean): Promise<Talk> {
  const talk = await Talk.to(port)
  await expectCode(talk.reply(), 220)
  await expectCode(talk.ask('EHLO client.example'), 250)
  if (!secure) return talk
  await expectCode(talk.ask('STARTTLS'), 220)
  await talk.secure()
  await expectCode(talk.ask('EHLO client.example'), 250)
  return talk
}

function countBy(cases: readonly Case[], key: (one: Case) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const one of cases) counts[key(one)] = (counts[key(one)] ?? 0) + 1
  return counts
}
