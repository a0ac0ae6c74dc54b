/** Clients behind a proxy that says for whom it speaks (W1). */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Peer } from '../../src/cred/credentials.js'
import { type Fields, type Log, silent } from '../../src/log/log.js'
import { parseEndpoint } from '../../src/net/endpoint.js'
import type { ListenerOptions } from '../../src/net/listener.js'
import { type Proxied, readProxied } from '../../src/net/proxied.js'
import { isThisMachine } from '../../src/net/this-machine.js'
import { Wire } from '../../src/net/wire.js'
import { Client } from '../helpers/client.js'
import { EchoSession } from '../helpers/echo-session.js'
import { certificate, stage, until } from '../helpers/listener-stage.js'
import { ADDRESSES4, LOCAL, PROXY, TCP4, tlsVector, version2 } from '../helpers/proxy-headers.js'

const LINE = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n'
const BEHIND = { address: '192.0.2.7', port: 4711, protocol: 'echo', secure: false }
const WITH_TLS = version2(
  PROXY,
  TCP4,
  Buffer.concat([ADDRESSES4, tlsVector('TLSv1.2', 'ECDHE-RSA-AES128-GCM-SHA256')]),
)

/** A listener that takes the header from this machine, the sessions that it made and for whom. */
async function behindProxy(more: Partial<ListenerOptions> = {}, proxies = '127.0.0.1,::1') {
  const sessions: { peer: Peer; session: EchoSession }[] = []
  const warnings: (Fields & { event: string })[] = []
  const log: Log = {
    ...silent,
    warn: (event, fields) => void warnings.push({ event, ...fields }),
  }
  const session = (peer: Peer): EchoSession => {
    const made = new EchoSession()
    sessions.push({ peer, session: made })
    return made
  }
  const endpoint = parseEndpoint(`127.0.0.1:0?proxy=${proxies}`)
  return { ...(await stage({ endpoint, session, log, ...more })), sessions, warnings }
}

describe('a trusted proxy', () => {
  test('says who the client is, and the session sees nothing else', async () => {
    const { client, sessions } = await behindProxy()
    const one = await client()
    one.send(LINE)
    await one.hear('hello\r\n')
    expect(sessions.map(({ peer }) => peer)).toEqual([BEHIND])
    one.send('bye\r\n')
    expect(await one.end()).toBe('bye\r\n')
  })

  test('may send its header byte by byte, and the first commands in the same packet', async () => {
    const { client, sessions } = await behindProxy()
    const slow = await client()
    for (const byte of version2(PROXY, TCP4, ADDRESSES4)) {
      slow.send(Buffer.from([byte]))
      await sleep(1)
    }
    slow.send('one\r\nbye\r\n')
    expect(await slow.end()).toBe('hello\r\none\r\nbye\r\n')
    const quick = await client()
    quick.send(`${LINE}one\r\nbye\r\n`)
    expect(await quick.end()).toBe('hello\r\none\r\nbye\r\n')
    expect(sessions.map(({ peer }) => peer)).toEqual([BEHIND, BEHIND])
  })

  test('speaks for itself with LOCAL', async () => {
    const { client, sessions } = await behindProxy()
    const check = await client()
    check.send(Buffer.concat([version2(LOCAL, 0, Buffer.alloc(0)), Buffer.from('bye\r\n')]))
    expect(await check.end()).toBe('hello\r\nbye\r\n')
    expect(sessions[0]!.peer.address).toBe('127.0.0.1')
  })

  test.each([
    ['1', Buffer.from('PROXY UNKNOWN\r\n')],
    ['2', version2(PROXY, 0, Buffer.alloc(0))],
  ])('gives nobody the rights of this machine, unknown in version %s', async (_, header) => {
    const { client, sessions } = await behindProxy()
    const unknown = await client()
    unknown.send(Buffer.concat([header, Buffer.from('bye\r\n')]))
    expect(await unknown.end()).toBe('hello\r\nbye\r\n')
    expect(sessions[0]!.peer.address).toBe('0.0.0.0')
    expect(isThisMachine(sessions[0]!.peer.address)).toBe(false)
    const elsewhere = { ...BEHIND, address: '198.51.100.9' }
    expect(await toldBy(header, elsewhere)).toEqual({ peer: elsewhere, tls: null })
  })

  test('that sends anything else is cut off without a word, and the log tells', async () => {
    const { client, sessions, warnings } = await behindProxy()
    for (const bytes of ['EHLO a\r\n', `PROXY TCP4 ${'x'.repeat(200)}`, '\x16\x03\x01']) {
      const wrong = await client()
      wrong.send(bytes)
      expect(await wrong.end()).toBe('')
    }
    const cutOff = await client()
    cutOff.socket.end('PROXY TCP4 ')
    expect(await cutOff.end()).toBe('')
    expect(sessions).toEqual([])
    expect(warnings).toHaveLength(4)
    expect(warnings[0]).toMatchObject({ event: 'net proxy not understood', proxy: '127.0.0.1' })
  })

  test('that only looks whether somebody listens is no news', async () => {
    const { client, sessions, warnings } = await behindProxy()
    for (let i = 0; i < 20; i++) {
      const check = await client()
      if (i % 2 === 0) check.socket.resetAndDestroy()
      else check.socket.end()
      await check.end()
    }
    const next = await client()
    next.send(`${LINE}bye\r\n`)
    expect(await next.end()).toBe('hello\r\nbye\r\n')
    expect(sessions).toHaveLength(1)
    expect(warnings).toEqual([])
  })

  test('that says nothing is not waited for', { timeout: 20_000 }, async () => {
    const { client, warnings } = await behindProxy()
    const mute = await client()
    expect(await mute.end()).toBe('')
    expect(warnings).toMatchObject([{ reason: 'no whole PROXY header in time' }])
  })

  test('is not waited for when the server stops', async () => {
    const { client, listener } = await behindProxy()
    const mute = await client()
    await sleep(20)
    await listener.stop()
    expect(await mute.end()).toBe('')
  })
})

describe('anybody else', () => {
  test('sends only a strange line with it', async () => {
    const { client, sessions } = await behindProxy({}, '192.0.2.1,2001:db8::/32')
    const liar = await client()
    liar.send('PROXY TCP4 127.0.0.1 127.0.0.1 1 25\r\nbye\r\n')
    expect(await liar.end()).toBe('hello\r\nPROXY TCP4 127.0.0.1 127.0.0.1 1 25\r\nbye\r\n')
    expect(sessions[0]!.peer.address).toBe('127.0.0.1')
  })

  test('has to end its line, ten megabytes or not', async () => {
    const { client } = await stage()
    const flood = await client()
    await flood.hear('hello\r\n')
    flood.send(Buffer.concat([Buffer.from('PROXY TCP4 '), Buffer.alloc(10_000_000, 'x')]))
    expect(await flood.end()).toBe('fault overlong\r\n')
  })
})

describe('TLS', () => {
  test('begins after the header, also when both come in one packet', async () => {
    await certificate()
    const { listener, sessions } = await behindProxy({ implicitTls: true })
    for (const header of [Buffer.from(LINE), WITH_TLS]) {
      const secure = await Client.to(await prefixing(listener.port!, header))
      await secure.secure()
      secure.send('bye\r\n')
      expect(await secure.end()).toBe('hello\r\nbye\r\n')
    }
    // Ours is the one that counts.
    const versions = sessions.map(({ session }) => session.tls?.version)
    expect(versions).toEqual(['TLSv1.3', 'TLSv1.3'])
    expect(sessions.map(({ peer }) => peer)).toEqual([
      { ...BEHIND, secure: true },
      { ...BEHIND, secure: true },
    ])
  })

  test('that ended at a proxy on this machine is believed', async () => {
    const { client, sessions } = await behindProxy()
    const one = await client()
    one.send(Buffer.concat([WITH_TLS, Buffer.from('bye\r\n')]))
    expect(await one.end()).toBe('hello\r\nbye\r\n')
    const [{ peer, session }] = sessions as [(typeof sessions)[0]]
    expect(peer).toEqual({ ...BEHIND, secure: true })
    expect(session.tls).toEqual({ version: 'TLSv1.2', cipher: 'ECDHE-RSA-AES128-GCM-SHA256' })
  })

  test('that ended at a proxy elsewhere is not: the way from there to here is in clear', async () => {
    const proxy = { ...BEHIND, address: '198.51.100.9' }
    expect(await toldBy(WITH_TLS, proxy)).toEqual({ peer: BEHIND, tls: null })
  })
})

describe('a client that shall be on this machine', () => {
  const local = Buffer.from('PROXY TCP4 127.0.0.1 198.51.100.1 4711 25\r\n')

  test('is as far away as the proxy that says so', async () => {
    const proxy = { ...BEHIND, address: '198.51.100.9', port: 9 }
    expect(await toldBy(local, proxy)).toEqual({ peer: proxy, tls: null })
    const local6 = Buffer.from('PROXY TCP6 ::ffff:127.0.0.1 2001:db8::1 4711 25\r\n')
    expect(await toldBy(local6, proxy)).toEqual({ peer: proxy, tls: null })
  })

  test('is here when the proxy is', async () => {
    const proxy = { ...BEHIND, address: '::1' }
    const peer = { ...proxy, address: '127.0.0.1', port: 4711 }
    expect(await toldBy(local, proxy)).toEqual({ peer, tls: null })
  })
})

/** What is taken from a header that came from that proxy. */
async function toldBy(header: Buffer, proxy: Peer): Promise<Proxied | string> {
  const server = createServer()
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const sender = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  const wire = new Wire(socket)
  sender.write(header)
  const told = await readProxied(wire, proxy)
  wire.destroy()
  sender.destroy()
  return told
}

/** A proxy that sends its header together with the first bytes of the client. @returns its port */
async function prefixing(port: number, header: Buffer): Promise<number> {
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    client.once('data', (first: Buffer) => {
      server.write(Buffer.concat([header, first]))
      client.pipe(server)
    })
    server.pipe(client)
    for (const socket of [client, server]) socket.on('error', () => socket.destroy())
  })
  onTestFinished(() => void proxy.close())
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  return (proxy.address() as AddressInfo).port
}

test('a storm of clients that hang up at once leaves nothing behind (R5)', async () => {
  const { client, listener, sessions } = await stage({ maxConnections: () => 10_000 })
  for (let round = 0; round < 20; round++) {
    const sockets = Array.from({ length: 50 }, () => connect(listener.port!, '127.0.0.1'))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const next = await client()
  await next.hear('hello\r\n')
  next.socket.destroy()
  await until(() => sessions.every(({ isClosed }) => isClosed))
})
