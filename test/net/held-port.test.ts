import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ListenError } from '../../src/net/bind.js'
import { parseEndpoint } from '../../src/net/endpoint.js'
import { HeldPort } from '../../src/net/held-port.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'

const ANY = '127.0.0.1:0'

test('a held port has a number and a name, and nobody is served before somebody listens', async () => {
  const held = await HeldPort.bind(parseEndpoint(ANY), 'smtp')
  expect(held.port).toBeGreaterThan(0)
  expect(held.address).toBe(`127.0.0.1:${held.port}`)
  expect(held.descriptor).toBeGreaterThan(2)
  const [error] = (await once(connect(held.port!, '127.0.0.1'), 'error')) as [{ code: string }]
  expect(error.code).toBe('ECONNREFUSED')
  held.close()
})

test('a port on which another program listens cannot be held, and the error says why', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const holding = HeldPort.bind(parseEndpoint(`127.0.0.1:${port}`), 'pop3')
  await expect(holding).rejects.toThrow(ListenError)
  await expect(holding).rejects.toMatchObject({
    code: 'EADDRINUSE',
    message: expect.stringContaining('another program listens there'),
  })
  other.close()
})

test('a UNIX socket has the mode that was asked for, and is gone when it is held no more', async () => {
  const path = join(await temporaryDirectory(), 'lmtp')
  const held = await HeldPort.bind(parseEndpoint(`unix:${path}?mode=660`), 'lmtp')
  expect(held.port).toBeNull()
  expect(held.address).toBe(`unix:${path}`)
  expect((await stat(path)).mode & 0o777).toBe(0o660)
  held.close()
  await expect.poll(() => stat(path).catch(() => null)).toBeNull()
})
