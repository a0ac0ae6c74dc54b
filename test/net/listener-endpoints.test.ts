import { existsSync, mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Endpoint, parseEndpoint } from '../../src/net/endpoint.js'
import { ListenError } from '../../src/net/bind.js'
import { Client } from '../helpers/client.js'
import { stage } from '../helpers/listener-stage.js'

describe('endpoints', () => {
  const failure = (endpoint: Endpoint): Promise<unknown> =>
    stage({ endpoint }).then(
      () => null,
      (error: unknown) => error,
    )

  test('a port in use is an error that names it', async () => {
    const { listener } = await stage()
    const error = await failure(parseEndpoint(`127.0.0.1:${listener.port}`))
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
