import { existsSync, mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { silent } from '../../src/log/log.js'
import { type Endpoint, parseEndpoint } from '../../src/net/endpoint.js'
import { ListenError, Listener, type ListenerOptions } from '../../src/net/listener.js'
import { TlsContexts } from '../../src/net/tls.js'
import { Client } from '../helpers/client.js'
import { EchoSession } from '../helpers/echo-session.js'

const running: Listener[] = []
let tls: TlsContexts | null = null

async function certificate(): Promise<TlsContexts> {
  return (tls ??= await TlsContexts.open(
    null,
    mkdtempSync(join(tmpdir(), 'listener-')),
    'localhost',
  ))
}

interface Stage {
  readonly listener: Listener
  readonly sessions: EchoSession[]
  client(): Promise<Client>
}

async function stage(more: Partial<ListenerOptions> = {}, patience = 60_000): Promise<Stage> {
  const sessions: EchoSession[] = []
  const session = () => {
    const made = Object.assign(new EchoSession(), { patience })
    sessions.push(made)
    return made
  }
  const listener = new Listener({
    endpoint: parseEndpoint('127.0.0.1:0'),
    protocol: 'echo',
    session,
    implicitTls: false,
    secureContext: () => tls?.context ?? null,
    maxConnections: () => 10,
    log: silent,
    ...more,
  })
  await listener.start()
  running.push(listener)
  return { listener, sessions, client: () => Client.to(listener.port!) }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error('it did not come to that')
    await sleep(10)
  }
}

afterEach(async () => {
  for (const listener of running.splice(0)) await listener.stop()
})

describe('a listener', () => {
  test('serves clients, several at once', async () => {
    const { client } = await stage()
    const [one, other] = [await client(), await client()]
    await one.hear('hello\r\n')
    await other.hear('hello\r\n')
    one.send('first\r\n')
    other.send('second\r\nthird\r\n')
    await one.hear('first\r\n')
    await other.hear('second\r\nthird\r\n')
    one.send('bye\r\n')
    expect(await one.end()).toBe('bye\r\n')
    other.socket.destroy()
  })

  test('gives a client that talks before the banner the banner first, and each line one answer (S11)', async () => {
    const { client } = await stage()
    const early = await client()
    early.send('early\r\nbye\r\n')
    expect(await early.end()).toBe('hello\r\nearly\r\nbye\r\n')
  })

  test('answers a client that has closed its side already', async () => {
    const { client, sessions } = await stage()
    const half = await client()
    half.socket.end('one\r\ntwo\r\n')
    expect(await half.end()).toBe('hello\r\none\r\ntwo\r\n')
    await until(() => sessions[0]!.isClosed)
  })

  test('closes the session when the client is gone, also in the middle of work', async () => {
    const { client, sessions } = await stage()
    const gone = await client()
    await gone.hear('hello\r\n')
    let finish = (): void => {}
    sessions[0]!.work = new Promise((resolve) => (finish = resolve))
    gone.send('work\r\n')
    gone.socket.resetAndDestroy()
    finish()
    await until(() => sessions[0]!.isClosed)
  })

  test('survives a session that throws', async () => {
    const { client } = await stage()
    const unlucky = await client()
    unlucky.send('fail\r\n')
    await unlucky.end()
    const next = await client()
    await next.hear('hello\r\n')
    next.socket.destroy()
  })

  test('reads a body no further than the client takes it (P10)', async () => {
    const { client, sessions } = await stage()
    const lazy = await client()
    await lazy.hear('hello\r\n')
    lazy.socket.pause()
    lazy.send('flood\r\n')
    let before = -1
    await until(() => {
      const stands = sessions[0]!.pulled > 0 && sessions[0]!.pulled === before
      before = sessions[0]!.pulled
      return stands
    })
    // Kernel buffers of both sides take some megabytes.
    expect(sessions[0]!.pulled).toBeLessThan(400)
    lazy.socket.destroy()
    await until(() => sessions[0]!.isClosed)
  })

  test('gives a client that reads late every byte of the last answer', async () => {
    const { client, sessions } = await stage()
    const late = await client()
    await late.hear('hello\r\n')
    late.socket.pause()
    late.send('big\r\nbye\r\n')
    // Longer than the moment that the server lingers after its last byte is out.
    await sleep(3_000)
    late.socket.resume()
    expect((await late.end()).length).toBe(EchoSession.BIG + 'big\r\nbye\r\n'.length)
    await until(() => sessions[0]!.isClosed)
  })

  test('keeps no more input than it needs while a client pipelines faster than it is served', async () => {
    const { client, sessions } = await stage()
    const eager = await client()
    await eager.hear('hello\r\n')
    let finish = (): void => {}
    sessions[0]!.work = new Promise((resolve) => (finish = resolve))
    eager.send('work\r\n')
    const line = Buffer.from(`${'x'.repeat(90)}\r\n`)
    const many = Buffer.concat(Array.from({ length: 100_000 }, () => line))
    eager.send(many)
    await sleep(200)
    // What the server has not read waits here: most of it.
    expect(eager.socket.writableLength).toBeGreaterThan(0)
    finish()
    await until(() => eager.heard.length === 'worked\r\n'.length + many.length)
    eager.socket.destroy()
  })

  test('refuses clients above its limit and serves again afterwards (R6)', async () => {
    const { client } = await stage({ maxConnections: () => 1 })
    const first = await client()
    await first.hear('hello\r\n')
    const second = await client()
    expect(await second.end()).toBe('too-many\r\n')
    first.send('bye\r\n')
    await first.end()
    first.socket.destroy()
    await sleep(50)
    const third = await client()
    await third.hear('hello\r\n')
    third.socket.destroy()
  })

  test('lets a silent client go, and one that sends its line byte by byte (R2)', async () => {
    const { client } = await stage({}, 100)
    const silentOne = await client()
    expect(await silentOne.end()).toBe('hello\r\nidle\r\n')
    const slow = await client()
    const drip = setInterval(() => slow.send('x'), 50)
    const said = await slow.end()
    clearInterval(drip)
    expect(said).toBe('hello\r\nidle\r\n')
  })
})

describe('stopping', () => {
  test('says farewell to idle clients and lets running work finish', async () => {
    const { client, listener, sessions } = await stage()
    const idle = await client()
    const busy = await client()
    await idle.hear('hello\r\n')
    await busy.hear('hello\r\n')
    let finish = (): void => {}
    sessions[1]!.work = new Promise((resolve) => (finish = resolve))
    busy.send('work\r\nnever answered\r\n')
    await sleep(50)
    const stopped = listener.stop()
    expect(await idle.end()).toBe('stopping\r\n')
    finish()
    expect(await busy.end()).toBe('worked\r\nstopping\r\n')
    await stopped
    expect(sessions.every(({ isClosed }) => isClosed)).toBe(true)
  })

  test('ends although some work never does', async () => {
    const { client, listener, sessions } = await stage({ drainMs: 50 })
    const stuck = await client()
    await stuck.hear('hello\r\n')
    sessions[0]!.work = new Promise(() => {})
    stuck.send('work\r\n')
    await sleep(20)
    await listener.stop()
    expect(sessions[0]!.isClosed).toBe(false)
    await stuck.end()
  })

  test('waits for a body that is being received', async () => {
    const { client, listener } = await stage()
    const sender = await client()
    await sender.hear('hello\r\n')
    sender.send('body\r\n')
    await sender.hear('go on\r\n')
    sender.send('half of')
    await sleep(20)
    const stopped = listener.stop()
    sender.send(' it!')
    expect(await sender.end()).toBe('got it\r\nstopping\r\n')
    await stopped
  })
})

describe('TLS', () => {
  test('begins on demand', async () => {
    await certificate()
    const { client, sessions } = await stage()
    const secure = await client()
    await secure.hear('hello\r\n')
    secure.send('tls\r\n')
    await secure.hear('go\r\n')
    await secure.secure()
    secure.send('secret\r\n')
    await secure.hear('secret\r\n')
    expect(sessions[0]!.tls?.version).toBe('TLSv1.3')
    secure.socket.destroy()
  })

  test('begins at once on an implicit TLS port', async () => {
    await certificate()
    const { client } = await stage({ implicitTls: true })
    const secure = await client()
    await secure.secure()
    secure.send('bye\r\n')
    expect(await secure.end()).toBe('hello\r\nbye\r\n')
  })

  test.each([0, 1, 2, 5, 10, 20, 50])(
    'answers nothing that was sent in clear %i ms after the command (T2)',
    async (delay) => {
      await certificate()
      const { client, sessions } = await stage()
      const attacker = await client()
      await attacker.hear('hello\r\n')
      attacker.send('tls\r\n')
      await sleep(delay)
      attacker.send('injected\r\n')
      const said = await attacker.end()
      // At most an alert of the TLS layer follows the permission to begin.
      expect(said).not.toContain('injected')
      await until(() => sessions[0]!.isClosed)
    },
  )

  test('answers nothing that came in clear while a slow command was worked on (T2)', async () => {
    await certificate()
    const { client, sessions } = await stage()
    for (const packets of [
      ['work\r\n', 'tls\r\n', 'injected\r\n'],
      ['work\r\ntls\r\n', 'injected\r\n'],
    ]) {
      const attacker = await client()
      await attacker.hear('hello\r\n')
      const session = sessions.at(-1)!
      let finish = (): void => {}
      session.work = new Promise((resolve) => (finish = resolve))
      for (const packet of packets) {
        attacker.send(packet)
        await sleep(20)
      }
      finish()
      expect(await attacker.end()).toBe('worked\r\nfault out-of-step\r\n')
      await until(() => session.isClosed)
    }
  })

  test('drops a client that sends more in the same packet (T1)', async () => {
    await certificate()
    const { client } = await stage()
    const attacker = await client()
    attacker.send('tls\r\ninjected\r\n')
    expect(await attacker.end()).toBe('hello\r\nfault out-of-step\r\n')
  })

  test('drops a client whose handshake is garbage, and serves the next', async () => {
    await certificate()
    const { client, sessions } = await stage({ implicitTls: true })
    const noise = await client()
    noise.send('GET / HTTP/1.1\r\n\r\n')
    await noise.end()
    await until(() => sessions[0]!.isClosed)
    const next = await client()
    await next.secure()
    await next.hear('hello\r\n')
    next.socket.destroy()
  })
})

describe('endpoints', () => {
  const failure = (endpoint: Endpoint): Promise<unknown> =>
    stage({ endpoint }).then(
      () => null,
      (error: unknown) => error,
    )

  test('a port in use is an error that names it', async () => {
    const { listener } = await stage()
    const error = await failure({ kind: 'tcp', host: '127.0.0.1', port: listener.port! })
    expect(error).toBeInstanceOf(ListenError)
    expect(error).toMatchObject({ code: 'EADDRINUSE' })
    expect(String(error)).toContain(`127.0.0.1:${listener.port}`)
  })

  test('a bare port takes IPv4 and, where there is any, IPv6', async () => {
    const { listener } = await stage({ endpoint: parseEndpoint('0') })
    expect(listener.address).toBe(`*:${listener.port}`)
    const client = await Client.to(listener.port!)
    await client.hear('hello\r\n')
    client.socket.destroy()
  })

  test('a UNIX socket has the mode that was asked for, and a dead one is replaced', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'unix-')), 'echo.sock')
    const endpoint = parseEndpoint(`unix:${path}?mode=660`)
    const { listener } = await stage({ endpoint })
    expect(statSync(path).mode & 0o777).toBe(0o660)
    const client = new Client(connect(path))
    await client.hear('hello\r\n')
    client.socket.destroy()
    // Two on one path: the second must not take it away.
    expect(await failure(endpoint)).toMatchObject({ code: 'EADDRINUSE' })
    await listener.stop()
    expect(existsSync(path)).toBe(false)
  })

  test('a file that is no socket is not removed', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'unix-')), 'precious')
    writeFileSync(path, 'precious')
    expect(await failure(parseEndpoint(`unix:${path}`))).toBeInstanceOf(ListenError)
    expect(existsSync(path)).toBe(true)
  })
})
