/**
 * Clients behind real proxies: HAProxy with both versions of the PROXY protocol, and swaks which
 * speaks it itself. What the server takes for the client stands in the Received header.
 */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { haproxy } from '../helpers/haproxy.js'
import { expectOk, fetchAll, logIn, SENDER, stillAnswers } from '../helpers/mail-talk.js'
import { inHome, runProgram, testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ANY = '127.0.0.1:0'
const BEHIND = `${ANY}?proxy=127.0.0.1`
const LISTEN = ['-s', BEHIND, '-s', `${ANY}?proxy=198.51.100.0/24`, '-s', ANY, '-p', ANY]
const ALICE = `alice@${DOMAIN}`
const SAYS_TLS = 'send-proxy-v2 proxy-v2-options ssl,ssl-cipher,crc32c,unique-id'
const LIMITS = '[limits]\nconnections_per_address = 2\nconnection_rate_per_network = 9'

let site: Site
let server: RunningServer
/** Listeners for SMTP: behind a proxy, behind one that is not here, and in the open. */
let trusting: number
let distrusting: number
let open: number
let pop3s: number
beforeAll(async () => {
  site = await Site.create({ create: [...LISTEN, '--pop3s', BEHIND] })
  await site.configure(LIMITS)
  await site.users('alice')
  server = await site.start()
  const ports = [...server.readyLine.matchAll(/\bsmtp on [^ ,]*:(\d+)/g)].map(([, port]) => port)
  ;[trusting, distrusting, open] = ports.map(Number) as [number, number, number]
  pop3s = server.port('pop3s')
})
afterAll(() => site.remove())
afterEach(() => stillAnswers({ smtp: open, pop3: server.port('pop3') }))

/** Sends a mail by swaks. @returns what the server wrote down of its client, and the exit code */
async function sent(port: number, more: readonly string[]): Promise<[number | null, string]> {
  const envelope = ['--from', SENDER, '--to', ALICE, '--ehlo', 'client.example']
  const where = ['--server', '127.0.0.1', '--port', String(port), '--hide-all']
  const { code } = await inHome((home) =>
    runProgram('swaks', [...where, ...envelope, ...more], { home }),
  )
  const mails = await fetchAll(server.port('pop3'), 'alice', PASSWORD)
  return [code, /^Received: [^;]*;/ms.exec(mails.at(-1)?.toString('latin1') ?? '')?.[0] ?? '']
}

const swaksProxy = (version: 1 | 2): string[] => [
  ...['--proxy-version', String(version), '--proxy-family', version === 1 ? 'TCP4' : 'AF_INET'],
  ...['--proxy-source', '192.0.2.7', '--proxy-source-port', '4711'],
  ...['--proxy-dest', '198.51.100.1', '--proxy-dest-port', '25'],
]

describe('HAProxy', () => {
  for (const sends of ['send-proxy', 'send-proxy-v2']) {
    testWith(['haproxy', 'swaks'], `hands over who the client is with ${sends}`, async () => {
      const [port] = await haproxy(site.folder, [{ server: trusting, sends }])
      const [code, received] = await sent(port!, ['--local-interface', '127.0.0.9'])
      expect(code).toBe(0)
      expect(received).toContain('from client.example ([127.0.0.9])')
      expect(received).toContain('with ESMTP ')
    })
  }

  testWith(['haproxy', 'swaks'], 'may end TLS, if it is on this machine', async () => {
    const crt = join(site.folder, 'state', 'tls', 'self-signed.pem')
    const front = { server: trusting, sends: SAYS_TLS, crt }
    const [port] = await haproxy(site.folder, [front])
    const [code, received] = await sent(port!, ['--tlsc', '--local-interface', '127.0.0.10'])
    expect(code).toBe(0)
    expect(received).toContain('from client.example ([127.0.0.10])')
    expect(received).toMatch(/\(TLSv1\.3 TLS_\w+\)/)
    expect(received).toContain('with ESMTPS ')
  })

  testWith(['haproxy'], 'may stand before a port where TLS comes first', async () => {
    const front = { server: pop3s, sends: 'send-proxy-v2' }
    const [port] = await haproxy(site.folder, [front])
    const talk = await Talk.securely(port!)
    await expectOk(logIn(talk, ALICE, PASSWORD))
    expect(await talk.ask('QUIT')).toMatch(/^\+OK/)
    talk.close()
  })

  testWith(['haproxy'], 'that is not trusted gets no mail through', async () => {
    const [port] = await haproxy(site.folder, [{ server: distrusting, sends: 'send-proxy' }])
    const talk = await Talk.to(port!)
    expect(await talk.reply()).toMatch(/^220 /)
    // Its header was the first command.
    expect(await talk.reply()).toMatch(/^5\d\d /)
    talk.close()
  })
})

describe('swaks', () => {
  for (const version of [1, 2] as const) {
    testWith(['swaks'], `speaks for another with version ${version}`, async () => {
      const [code, received] = await sent(trusting, swaksProxy(version))
      expect(code).toBe(0)
      expect(received).toContain('from client.example ([192.0.2.7])')
    })

    testWith(['swaks'], `is not believed where it is not listed: ${version}`, async () => {
      for (const port of [distrusting, open]) {
        const before = await fetchAll(server.port('pop3'), 'alice', PASSWORD)
        const [code] = await sent(port, swaksProxy(version))
        expect(code).not.toBe(0)
        expect(await fetchAll(server.port('pop3'), 'alice', PASSWORD)).toHaveLength(before.length)
      }
    })
  }
})

/** A connection for that client, as a proxy would make it, and the first thing that it hears. */
async function from(address: string, port = trusting): Promise<{ talk: Talk; first: string }> {
  const talk = await Talk.to(port)
  talk.send(`PROXY TCP4 ${address} 198.51.100.1 4711 25\r\n`)
  return { talk, first: await talk.line() }
}

describe('limits on connections', () => {
  test('hold for the client, not for its proxy (R1, R6)', async () => {
    const two = [await from('203.0.113.1'), await from('203.0.113.1')]
    const third = await from('203.0.113.1')
    const other = await from('203.0.113.2')
    for (const { first } of [...two, other]) expect(first).toMatch(/^220 /)
    expect(third.first).toMatch(/^421 4\.\d\.\d /)
    expect(await third.talk.rest()).toBe('')
    for (const { talk } of [...two, other]) talk.close()
    await server.says(/net too many connections .*why=address.*203\.0\.113\.1/)
    await expect.poll(async () => opened('203.0.113.1')).toMatch(/^220 /)
  })

  test('hold for how fast they are opened', async () => {
    const heard: string[] = []
    for (let host = 1; host <= 10; host++) heard.push(await opened(`198.51.100.${host}`))
    expect(heard.slice(0, 9).every((first) => first.startsWith('220 '))).toBe(true)
    expect(heard[9]).toMatch(/^421 4\.\d\.\d /)
  })
})

/** What a client hears who then goes. */
async function opened(address: string): Promise<string> {
  const { talk, first } = await from(address)
  talk.close()
  return first
}
