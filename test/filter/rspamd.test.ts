/** A real rspamd with one rule: it does what the field X-Wanted asks for, and tells what it was told. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { OnError } from '../../src/filter/outage.js'
import { RspamdFilter } from '../../src/filter/rspamd.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { freePort } from '../helpers/daemon.js'
import { keptLog } from '../helpers/kept-log.js'
import { envelopeOf } from '../helpers/mail-world.js'
import { locate, testWith } from '../helpers/programs.js'
import { Rspamd } from './rspamd-server.js'

const ENVELOPE = envelopeOf('bob@far.example', 'alice@example.com', 'carol@example.com')
const DEFERRED = {
  code: 451,
  status: '4.7.1',
  message: expect.stringContaining('cannot be checked'),
}

const mail = (wanted: string, body = 'hello\n'): Message =>
  fromBuffer(Buffer.from(`From: bob@far.example\nX-Wanted: ${wanted}\nSubject: x\n\n${body}`))

function filterAt(url: string, onError: OnError = 'defer', timeoutMs = 20_000) {
  const log = keptLog()
  return { filter: new RspamdFilter({ url, timeoutMs, onError }, log), log }
}

describe('rspamd', () => {
  let rspamd: Rspamd | null = null

  beforeAll(async () => {
    if (locate('rspamd') !== null) rspamd = await Rspamd.start()
  })
  afterAll(() => rspamd?.stop())

  testWith(['rspamd'], 'is told who sends what to whom, and adds fields', async () => {
    const { filter, log } = filterAt(rspamd!.url)
    const client = { ...ENVELOPE.client, user: 'alice@example.com' }
    const { headers, junk } = await filter.message({ ...ENVELOPE, client }, mail('nothing'))
    expect(junk).toBe(false)
    expect(headers.toSorted()).toEqual([
      'X-Seen-From: bob@far.example',
      'X-Seen-Helo: client',
      'X-Seen-Id: E1',
      'X-Seen-Ip: 192.0.2.7',
      'X-Seen-Rcpt: alice@example.com carol@example.com',
      `X-Seen-Size: ${mail('nothing').size}`,
      'X-Seen-User: alice@example.com',
      'X-Twice: 1',
      'X-Twice: 2',
    ])
    expect(log.of('rspamd verdict')).toMatchObject([{ id: 'E1', action: 'no action' }])
  })

  testWith(
    ['rspamd'],
    'is told the null path and IPv6 as they are, and is not put off by UTF-8',
    async () => {
      const { filter } = filterAt(rspamd!.url)
      const envelope = envelopeOf(null, 'alice@example.com', 'grüße@example.com')
      const client = { ...envelope.client, address: '2001:db8::7' }
      const { headers } = await filter.message({ ...envelope, client }, mail('nothing'))
      expect(headers).toEqual(
        expect.arrayContaining([
          'X-Seen-From: ',
          'X-Seen-Ip: 2001:db8::7',
          'X-Seen-Rcpt: alice@example.com',
          'X-Seen-User: none',
        ]),
      )
    },
  )

  testWith(['rspamd'], 'refuses, defers and marks as it decides', async () => {
    const { filter, log } = filterAt(rspamd!.url, 'accept')
    const ask = (wanted: string) => filter.message(ENVELOPE, mail(wanted))
    const words = 'as you wish'
    for (const action of ['reject', 'discard']) {
      await expect(ask(action), action).rejects.toMatchObject({
        ...{ code: 554, status: '5.7.1', message: words },
      })
    }
    await expect(ask('soft reject')).rejects.toMatchObject({
      ...{ code: 451, status: '4.7.1', message: words },
    })
    for (const action of ['add header', 'rewrite subject', 'quarantine']) {
      expect((await ask(action)).junk, action).toBe(true)
    }
    for (const action of ['no action', 'greylist']) {
      expect((await ask(action)).junk, action).toBe(false)
    }
    expect(log.of('filter failed')).toEqual([])
  })

  testWith(['rspamd'], 'is sent a large message whole', async () => {
    const { filter } = filterAt(rspamd!.url)
    const message = mail('nothing', `${'x'.repeat(99)}\n`.repeat(50_000))
    const { headers } = await filter.message(ENVELOPE, message)
    expect(headers).toContain(`X-Seen-Size: ${message.size}`)
  })
})

/** What an rspamd must not be: a server that answers as the test says. */
async function scripted(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const says =
  (text: string, status = 200): RequestListener =>
  (request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(status).end(text))
  }

describe('an rspamd that fails', () => {
  const cases: Readonly<Record<string, RequestListener>> = {
    'says that something is wrong': says('{"error":"x"}', 503),
    'says what is no JSON': says('<html>'),
    'says nothing of an action': says('{"score":1}'),
    'has an action of its own': says('{"action":"__proto__"}'),
    'is null': says('null'),
    'hangs up': (request) => request.socket.destroy(),
    'goes on and on': (_, response) => {
      const more = (): void => void (response.destroyed || response.write('x'.repeat(65_536), more))
      more()
    },
  }
  // Mail may pass while there is no rspamd, but none that brings one down.
  test.each(Object.entries(cases))('and %s means "later", always', async (_, answer) => {
    const url = await scripted(answer)
    const { filter, log } = filterAt(url)
    await expect(filter.message(ENVELOPE, mail('x'))).rejects.toMatchObject(DEFERRED)
    expect(log.of('filter failed')).toMatchObject([{ filter: 'rspamd', id: 'E1', then: 'defer' }])
    const lenient = filterAt(url, 'accept')
    await expect(lenient.filter.message(ENVELOPE, mail('x'))).rejects.toMatchObject(DEFERRED)
    expect(lenient.log.of('filter failed')).toMatchObject([{ then: 'defer' }])
  })

  test('is one that is away, or silent', async () => {
    const away = filterAt(`http://127.0.0.1:${await freePort()}`)
    await expect(away.filter.message(ENVELOPE, mail('x'))).rejects.toMatchObject(DEFERRED)
    const lenient = filterAt(`http://127.0.0.1:${await freePort()}`, 'accept')
    expect(await lenient.filter.message(ENVELOPE, mail('x'))).toEqual({ headers: [], junk: false })
    expect(lenient.log.of('filter failed')).toMatchObject([{ then: 'accept' }])
    const silent = filterAt(await scripted((request) => void request.resume()), 'defer', 300)
    await expect(silent.filter.message(ENVELOPE, mail('x'))).rejects.toMatchObject(DEFERRED)
    const patient = filterAt(await scripted((request) => void request.resume()), 'accept', 300)
    await expect(patient.filter.message(ENVELOPE, mail('x'))).rejects.toMatchObject(DEFERRED)
  })

  test('does not speak for us: its fields and words are made fit', async () => {
    const added = { 'X-A': 'one\r\nEvil: x', 'X B': 'x', 'X-C': { value: 7 }, 'X-D': ['1', null] }
    const answer = { action: 'no action', milter: { add_headers: { ...added, __proto__: 'x' } } }
    const url = await scripted(says(JSON.stringify(answer)))
    expect(await filterAt(url).filter.message(ENVELOPE, mail('x'))).toEqual({
      headers: ['X-A: one\n\tEvil: x', 'X-C: ', 'X-D: 1', 'X-D: '],
      junk: false,
    })
    const smtp_message = 'no\r\n250 ok \u2603'
    const refusing = await scripted(
      says(JSON.stringify({ action: 'reject', messages: { smtp_message } })),
    )
    await expect(filterAt(refusing).filter.message(ENVELOPE, mail('x'))).rejects.toMatchObject({
      message: 'no 250 ok ?',
    })
  })

  test('may answer before it has read everything', async () => {
    const url = await scripted((_, response) => response.end('{"action":"add header"}'))
    const { filter } = filterAt(url)
    const large = mail('x', 'x'.repeat(20_000_000))
    expect(await filter.message(ENVELOPE, large)).toEqual({ headers: [], junk: true })
  })
})
