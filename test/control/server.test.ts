import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { ControlRefusal, type Route } from '../../src/control/control.js'
import { ControlServer } from '../../src/control/server.js'
import { ControlStage } from './control-stage.js'

const echo: Route = {
  method: 'POST',
  path: '/echo',
  answer: async (asked) => ({ kind: 'value', value: { asked } }),
}

/** A question whose answer has these lines. */
function lines(values: () => AsyncIterable<unknown>): Route {
  const answer: Route['answer'] = async () => ({ kind: 'lines', lines: values() })
  return { method: 'GET', path: '/lines', answer }
}

async function* some(count: number, end: () => void = () => {}): AsyncIterable<unknown> {
  try {
    for (let at = 0; at < count; at++) yield { at, padding: 'x'.repeat(1_000) }
  } finally {
    end()
  }
}

describe('the control socket', () => {
  test('is for its owner alone, and answers JSON with JSON', async () => {
    const stage = await ControlStage.make()
    await stage.serve(echo)
    expect(((await stat(stage.path)).mode & 0o777).toString(8)).toBe('600')
    const reply = await stage.ask('POST', '/echo', '{"a":[1,"ü"]}')
    expect([reply.status, JSON.parse(reply.body)]).toEqual([200, { asked: { a: [1, 'ü'] } }])
    expect((await stage.ask('POST', '/echo')).body).toBe('{"asked":{}}')
  })

  test('takes the place of one that a killed server left, and of no other', async () => {
    const stage = await ControlStage.make()
    const script = `require('net').createServer().listen(process.argv[1], () => console.log('up'))`
    const dead = spawn(process.execPath, ['-e', script, stage.path])
    await once(dead.stdout, 'data')
    const late = new ControlServer({ path: stage.path, routes: [], log: stage.log })
    await expect(late.start()).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await late.stop()
    dead.kill('SIGKILL')
    await once(dead, 'close')
    await stage.serve(echo)
    expect((await stage.ask('POST', '/echo', '1')).status).toBe(200)
  })

  test('is gone when the server has stopped', async () => {
    const stage = await ControlStage.make()
    const server = await stage.serve(echo)
    await server.stop()
    await expect(stage.ask('POST', '/echo')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test.each([
    ['GET', '/nothing', '', 404],
    ['POST', '/echo?x', '', 404],
    ['GET', '/echo', '', 405],
    ['POST', '/echo', '{', 400],
    ['POST', '/echo', `"${'x'.repeat(2_000_000)}"`, 413],
  ])('refuses %s %s in words', async (method, path, body, status) => {
    const stage = await ControlStage.make()
    await stage.serve(echo)
    const reply = await stage.ask(method, path, body)
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.body)).toEqual({ problems: [expect.any(String)] })
    expect(stage.log.events).toEqual([])
  })

  test('tells a refusal as it is, and logs a fault of its own', async () => {
    const stage = await ControlStage.make()
    const failing = (path: string, error: Error): Route => {
      return { method: 'GET', path, answer: () => Promise.reject(error) }
    }
    const refusal = new ControlRefusal(422, ['line 1', 'line 2'])
    await stage.serve(failing('/no', refusal), failing('/fault', new Error('disk on fire')))
    const no = await stage.ask('GET', '/no')
    expect([no.status, JSON.parse(no.body)]).toEqual([422, { problems: ['line 1', 'line 2'] }])
    expect((await stage.ask('GET', '/fault')).status).toBe(500)
    expect(stage.log.of('control failed')).toEqual([{ path: '/fault', reason: 'disk on fire' }])
  })

  test('gives a long answer line by line', async () => {
    const stage = await ControlStage.make()
    await stage.serve(lines(() => some(5_000)))
    const reply = await stage.ask('GET', '/lines')
    const all = reply.body.trimEnd().split('\n')
    expect([reply.whole, all.length, JSON.parse(all[4_999]!).at]).toEqual([true, 5_000, 4_999])
  })

  test('lets nobody take a broken answer for a whole one', async () => {
    const stage = await ControlStage.make()
    const broken = async function* (): AsyncIterable<unknown> {
      yield* some(50)
      throw new Error('disk on fire')
    }
    await stage.serve(lines(broken))
    expect((await stage.ask('GET', '/lines')).whole).toBe(false)
    expect(stage.log.of('control failed')).toEqual([{ path: '/lines', reason: 'disk on fire' }])
  })

  test('stops asking for more when the client has gone', async () => {
    const stage = await ControlStage.make()
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => (end = resolve))
    await stage.serve(lines(() => some(Infinity, end)))
    const client = connect(stage.path)
    client.write('GET /lines HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(client, 'data')
    client.destroy()
    await ended
    expect(stage.log.events).toEqual([])
  })

  test('breaks off what is under way when it stops', async () => {
    const stage = await ControlStage.make()
    const server = await stage.serve(lines(() => some(Infinity)))
    const client = connect(stage.path)
    client.write('GET /lines HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(client, 'data')
    client.resume()
    const closed = once(client, 'close')
    await server.stop()
    await closed
    expect(stage.log.events).toEqual([])
  })
})
