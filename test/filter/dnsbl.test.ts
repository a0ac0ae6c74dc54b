/** DNS lists as a real name server serves them: dnsmasq on a port of this machine. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { Resolver } from 'node:dns/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DnsblFilter, type DnsblSettings } from '../../src/filter/dnsbl.js'
import { fromBuffer } from '../../src/mail/message.js'
import { type Daemon, freePort, startDaemon } from '../helpers/daemon.js'
import { keptLog } from '../helpers/kept-log.js'
import { addressOf, envelopeOf } from '../helpers/mail-world.js'
import { locate, testWith } from '../helpers/programs.js'

const TO = addressOf('alice@example.com')
const CLIENT = '192.0.2.7'
const REVERSED = '7.2.0.192'
const IP6 = '2001:db8::7'
const REVERSED_IP6 = '7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'
const RECORDS = [
  `--host-record=${REVERSED}.bl.example,127.0.0.2`,
  `--txt-record=${REVERSED}.bl.example,Sends spam; ask http://bl.example/?ip=${CLIENT} gr\xfc\x07sse`,
  `--host-record=${REVERSED_IP6}.bl.example,127.0.0.3`,
  `--host-record=${REVERSED}.codes.example,127.0.0.4`,
  `--host-record=${REVERSED}.closed.example,127.255.255.254`,
  `--host-record=${REVERSED}.parked.example,203.0.113.9`,
  '--local=/bl.example/',
  '--local=/codes.example/',
  '--local=/empty.example/',
]

let daemon: Daemon | null = null
let server = ''
/** A name server that never says anything. */
let mute: Socket
let muteServer = ''
/** A name server that says SERVFAIL. */
let failing: Socket
let failingServer = ''

async function bound(socket: Socket): Promise<string> {
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return `127.0.0.1:${socket.address().port}`
}

beforeAll(async () => {
  mute = createSocket('udp4')
  muteServer = await bound(mute)
  failing = createSocket('udp4', (query, { port }) => {
    const answer = Buffer.from(query)
    answer.writeUInt16BE(0x8182, 2)
    failing.send(answer, port, '127.0.0.1')
  })
  failingServer = await bound(failing)
  if (locate('dnsmasq') === null) return
  const port = await freePort()
  server = `127.0.0.1:${port}`
  const where = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces']
  const alone = ['--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=', '--pid-file=']
  daemon = await startDaemon(
    'dnsmasq',
    ['--keep-in-foreground', ...alone, ...where, ...RECORDS],
    works,
  )
})
afterAll(async () => {
  mute.close()
  failing.close()
  await daemon?.stop()
})

async function works(): Promise<boolean> {
  const resolver = new Resolver({ timeout: 200, tries: 1 })
  resolver.setServers([server])
  return resolver.resolve4(`${REVERSED}.bl.example`).then(
    () => true,
    () => false,
  )
}

function list(zone: string, ...codes: string[]) {
  return { zone, codes }
}

function filterOf(
  lists: readonly ReturnType<typeof list>[],
  settings: Partial<DnsblSettings> = {},
) {
  const log = keptLog()
  const all = { lists, action: 'reject', resolvers: [server], ...settings } as const
  return { filter: new DnsblFilter(all, log), log }
}

function opening(address: string, user: string | null = null) {
  const envelope = envelopeOf('bob@far.example', 'alice@example.com')
  return { ...envelope, client: { ...envelope.client, address, user } }
}

describe('a client on a DNS list', () => {
  testWith(['dnsmasq'], 'is refused in the words of the list, made printable', async () => {
    const { filter } = filterOf([list('empty.example'), list('bl.example')])
    await expect(filter.recipient(opening(CLIENT), TO)).rejects.toMatchObject({
      code: 550,
      status: '5.7.1',
      message: expect.stringMatching(
        /^\[192\.0\.2\.7\] is listed by bl\.example: Sends spam; ask http:\/\/bl\.example\/\?ip=192\.0\.2\.7 gr[ -~]*sse$/,
      ),
    })
  })

  testWith(['dnsmasq'], 'is found by its IPv6 address, too, and needs no words', async () => {
    const { filter } = filterOf([list('bl.example')])
    await expect(filter.recipient(opening(IP6), TO)).rejects.toMatchObject({
      code: 550,
      message: `[${IP6}] is listed by bl.example`,
    })
  })

  testWith(['dnsmasq'], 'is not one that the list does not know', async () => {
    const { filter, log } = filterOf([list('bl.example'), list('empty.example')])
    await filter.recipient(opening('192.0.2.8'), TO)
    await filter.recipient(opening('2001:db8::8'), TO)
    expect(log.events).toEqual([])
  })

  testWith(['dnsmasq'], 'is judged by the answers that count', async () => {
    const only = (...codes: string[]) => filterOf([list('codes.example', ...codes)]).filter
    await only('127.0.0.2', '127.0.0.10').recipient(opening(CLIENT), TO)
    await expect(only('127.0.0.2', '127.0.0.4').recipient(opening(CLIENT), TO)).rejects.toThrow()
    await expect(only().recipient(opening(CLIENT), TO)).rejects.toThrow('codes.example')
  })

  testWith(['dnsmasq'], 'is marked where the config says so', async () => {
    const { filter } = filterOf([list('bl.example')], { action: 'mark' })
    await filter.recipient(opening(CLIENT), TO)
    const message = fromBuffer(Buffer.from('Subject: x\n\n'))
    expect(await filter.message(opening(CLIENT))).toEqual({
      headers: ['X-DNSBL: bl.example 127.0.0.2'],
      junk: true,
    })
    expect(message.size).toBe(12)
    expect(await filter.message(opening('192.0.2.8'))).toEqual({ headers: [], junk: false })
  })

  testWith(['dnsmasq'], 'reaches postmaster and abuse all the same', async () => {
    const { filter } = filterOf([list('bl.example')])
    for (const local of ['postmaster', 'Abuse']) {
      await filter.recipient(opening(CLIENT), { local, domain: 'example.com' })
    }
    await expect(filter.recipient(opening(CLIENT), TO)).rejects.toThrow()
  })

  testWith(
    ['dnsmasq'],
    'is not one that a closed or parked list answers for; told once',
    async () => {
      const { filter, log } = filterOf([list('closed.example'), list('parked.example')])
      for (const _ of [1, 2]) await filter.recipient(opening(CLIENT), TO)
      await filter.message(opening(CLIENT))
      const event = 'dnsbl answer ignored: is the list closed, or closed to this resolver?'
      expect(log.of(event)).toEqual([
        { list: 'closed.example', answer: '127.255.255.254' },
        { list: 'parked.example', answer: '203.0.113.9' },
      ])
    },
  )

  testWith(['dnsmasq'], 'is found though another list is away, and asked for once', async () => {
    const { filter } = filterOf([list('refused.example'), list('bl.example')])
    const asked = [1, 2, 3].map(() => filter.recipient(opening(CLIENT), TO))
    const answers = await Promise.allSettled(asked)
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  })
})

describe('a DNS that cannot tell', () => {
  test.each([
    ['says SERVFAIL', () => failingServer],
    ['says nothing', () => muteServer],
    ['is not there', () => '127.0.0.1:1'],
  ])('lets mail pass when it %s, and tells the log', async (_, resolver) => {
    const { filter, log } = filterOf([list('bl.example')], { resolvers: [resolver()] })
    await filter.recipient(opening(CLIENT), TO)
    await filter.recipient(opening(CLIENT), TO)
    expect(log.of('dnsbl cannot tell')).toEqual([
      { list: 'bl.example', name: REVERSED, reason: expect.any(String) },
    ])
  })

  test('is not asked about users and about clients that are near', async () => {
    let queries = 0
    failing.on('message', () => queries++)
    const { filter, log } = filterOf([list('bl.example')], { resolvers: [failingServer] })
    for (const near of ['127.0.0.1', '10.0.0.1', '::1', 'fd00::1', '']) {
      await filter.recipient(opening(near), TO)
    }
    await filter.recipient(opening(CLIENT, 'alice@example.com'), TO)
    expect([queries, log.events]).toEqual([0, []])
    await filter.recipient(opening(CLIENT), TO)
    expect(queries).toBeGreaterThan(0)
  })
})
