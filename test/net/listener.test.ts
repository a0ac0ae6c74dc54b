import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { EchoSession } from '../helpers/echo-session.js'
import { stage, until } from '../helpers/listener-stage.js'

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

  test('serves others while it makes a long answer for a client that reads it all at once', async () => {
    const { client, sessions } = await stage()
    const [greedy, other] = [await client(), await client()]
    await greedy.hear('hello\r\n')
    await other.hear('hello\r\n')
    greedy.send('spin\r\nbye\r\n')
    other.send('modest\r\n')
    await other.hear('modest\r\n')
    sessions[0]!.released = true
    expect(await greedy.end()).toMatch(/released\r\nbye\r\n$/)
    other.socket.destroy()
  })

  test('serves others between the many commands that a client sends at a time', async () => {
    const { client, sessions } = await stage()
    const [greedy, other] = [await client(), await client()]
    await greedy.hear('hello\r\n')
    await other.hear('hello\r\n')
    const commands = 300
    greedy.send('toil\r\n'.repeat(commands))
    await until(() => sessions[0]!.toiled > 0)
    other.send('modest\r\n')
    await other.hear('modest\r\n')
    expect(sessions[0]!.toiled).toBeLessThan(commands)
    await greedy.hear('toil\r\n'.repeat(commands))
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

describe('an answer that must wait', () => {
  test('comes after what was said before, and before what was asked after it', async () => {
    const { client } = await stage()
    const guesser = await client()
    guesser.send('first\r\nlate 1\r\nlast\r\nbye\r\n')
    expect(await guesser.end()).toBe('hello\r\nfirst\r\nlate 1\r\nlast\r\nbye\r\n')
  })

  test('is given at once when the server stops', async () => {
    const { client, listener } = await stage()
    const guesser = await client()
    await guesser.hear('hello\r\n')
    guesser.send('late 600000\r\n')
    await sleep(20)
    const stopped = listener.stop()
    expect(await guesser.end()).toBe('late 600000\r\nstopping\r\n')
    await stopped
  })

  test('does not keep the session of a client that has gone', async () => {
    const { client, sessions } = await stage()
    const guesser = await client()
    await guesser.hear('hello\r\n')
    guesser.send('late 600000\r\n')
    await sleep(20)
    guesser.socket.resetAndDestroy()
    await until(() => sessions[0]!.isClosed)
    expect(sessions).toHaveLength(1)
  })
})
