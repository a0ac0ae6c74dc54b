import { connect, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { MetricsServer, type MetricsServerOptions } from '../../src/metrics/http.js'
import { Registry } from '../../src/metrics/registry.js'
import { bind } from '../../src/net/bind.js'
import { parseEndpoint } from '../../src/net/endpoint.js'
import { valueOf } from '../helpers/prometheus-text.js'

let server: MetricsServer | null = null

async function running(changes: Partial<MetricsServerOptions> = {}): Promise<string> {
  const registry = new Registry()
  registry.counter({ name: 'a_total', help: 'A.' }).of({}).add(3)
  server = new MetricsServer({
    bind: (bound: Server) => bind(bound, parseEndpoint('127.0.0.1:0'), 'metrics'),
    allowed: () => false,
    snapshots: async () => new Map([['main', await registry.snapshot()]]),
    problems: async () => [],
    ...changes,
  })
  await server.start()
  return `http://127.0.0.1:${server.port}`
}

afterEach(() => server?.stop())

describe('the port for those who watch', () => {
  it('tells the metrics in the format of Prometheus', async () => {
    const answer = await fetch(`${await running()}/metrics`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(valueOf(await answer.text(), 'a_total')).toBe(3)
  })

  it('tells them by worker if that is asked for', async () => {
    const answer = await fetch(`${await running()}/metrics?by=worker`)
    expect(valueOf(await answer.text(), 'a_total', { worker: 'main' })).toBe(3)
  })

  it('says ok while all is well, and what is wrong while it is not', async () => {
    const problems: string[] = []
    const at = await running({ problems: async () => problems })
    const well = await fetch(`${at}/healthz`)
    expect([well.status, await well.text()]).toEqual([200, 'ok\n'])
    problems.push('disk reserve low at /var/mail')
    const ill = await fetch(`${at}/healthz`)
    expect([ill.status, await ill.text()]).toEqual([503, 'disk reserve low at /var/mail\n'])
  })

  it('has nothing else, and no other method', async () => {
    const at = await running()
    expect((await fetch(`${at}/`)).status).toBe(404)
    expect((await fetch(`${at}/metrics/`)).status).toBe(404)
    const posted = await fetch(`${at}/metrics`, { method: 'POST', body: 'x' })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET'])
  })

  it('says that a fault is one, and goes on', async () => {
    let fails = true
    const at = await running({
      problems: async () => {
        if (fails) throw new Error('secret path')
        return []
      },
    })
    const answer = await fetch(`${at}/healthz`)
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret')
    fails = false
    expect((await fetch(`${at}/healthz`)).status).toBe(200)
  })

  it('cuts off what is no HTTP, and whoever comes beyond the limit of connections', async () => {
    await running()
    const port = server!.port!
    const noise = connect(port, '127.0.0.1', () => noise.write('EHLO x\r\n\r\n'))
    expect(await text(noise)).toMatch(/^HTTP\/1.1 400/)
    const all = Array.from({ length: 17 }, () => connect(port, '127.0.0.1'))
    const closed = new Promise((resolve) => {
      for (const each of all) each.on('close', resolve).on('error', () => {})
    })
    await closed
    for (const each of all) each.destroy()
  })

  it('tells who listens in its place', async () => {
    await running()
    const place = parseEndpoint(`127.0.0.1:${server!.port}`)
    const second = new MetricsServer({
      bind: (bound: Server) => bind(bound, place, 'metrics'),
      allowed: () => false,
      snapshots: async () => new Map(),
      problems: async () => [],
    })
    await expect(second.start()).rejects.toThrow(/cannot listen for metrics on 127/)
  })
})
