/** Both ends of a real TLS connection see the same binding, and no other connection has it. */
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { connect, type ConnectionOptions, createSecureContext, TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { channelBinding, signatureHash } from '../../src/net/channel-binding.js'
import { makeSelfSigned } from '../../src/net/self-signed.js'

let pem: string
let server: Server
const accepted: TLSSocket[] = []

beforeAll(async () => {
  pem = await makeSelfSigned('localhost')
  const secureContext = createSecureContext({ cert: pem, key: pem, minVersion: 'TLSv1.2' })
  server = createServer((plain) => {
    const tls = new TLSSocket(plain, { isServer: true, secureContext })
    tls.on('error', () => {})
    tls.on('secure', () => accepted.push(tls))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterAll(() => server.close())

interface Ends {
  readonly client: TLSSocket
  readonly ours: TLSSocket
}

async function meet(options: ConnectionOptions = {}): Promise<Ends> {
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  client.on('error', () => {})
  await once(client, 'secureConnect')
  await expect.poll(() => accepted.length).toBe(1)
  return { client, ours: accepted.pop()! }
}

const part = ({ client, ours }: Ends): void => {
  client.destroy()
  ours.destroy()
}
const V12 = { maxVersion: 'TLSv1.2' } as const

describe('tls-exporter', () => {
  test('is what the client exports, and another one on each connection', async () => {
    const [one, other] = [await meet(), await meet()]
    const binding = channelBinding(one.ours, 'tls-exporter')
    const said = one.client.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    expect(binding).toEqual(said)
    expect(channelBinding(other.ours, 'tls-exporter')).not.toEqual(binding)
    part(one)
    part(other)
  })

  test('is not there before TLS 1.3', async () => {
    const ends = await meet(V12)
    expect(channelBinding(ends.ours, 'tls-exporter')).toBeNull()
    part(ends)
  })
})

describe('tls-unique', () => {
  test('is the Finished message of the client', async () => {
    const ends = await meet(V12)
    expect(channelBinding(ends.ours, 'tls-unique')).toEqual(ends.client.getFinished())
    part(ends)
  })

  test('is not there in TLS 1.3, nor in a session taken up again', async () => {
    const modern = await meet()
    expect(channelBinding(modern.ours, 'tls-unique')).toBeNull()
    part(modern)
    const first = await meet(V12)
    const again = await meet({ ...V12, session: first.client.getSession()! })
    expect(again.ours.isSessionReused()).toBe(true)
    expect(channelBinding(again.ours, 'tls-unique')).toBeNull()
    part(first)
    part(again)
  })
})

describe('tls-server-end-point', () => {
  test('is the hash of the certificate that the client sees', async () => {
    const ends = await meet()
    const { raw } = ends.client.getPeerX509Certificate()!
    const hash = createHash('sha256').update(raw).digest()
    expect(channelBinding(ends.ours, 'tls-server-end-point')).toEqual(hash)
    part(ends)
  })

  test('takes the hash of the signature, as far as there is one', () => {
    expect(signatureHash(new X509Certificate(pem).raw)).toBe('sha256')
    const certificate = (identifier: string) =>
      Buffer.from(`300f3003020100300830060603${identifier}`, 'hex')
    expect(signatureHash(certificate('2b6570'))).toBeNull()
  })

  test('does not break on what is no certificate', () => {
    const { raw } = new X509Certificate(pem)
    for (let end = 0; end < raw.length; end++)
      expect(signatureHash(raw.subarray(0, end))).toBeNull()
    for (const hex of ['', '30', '3080', '3084ffffffff', '30023000', '308500000000ff']) {
      expect(signatureHash(Buffer.from(hex, 'hex'))).toBeNull()
    }
  })
})

test('a type that nobody knows, and a connection that is gone, have no binding', async () => {
  const ends = await meet()
  for (const type of ['', 'tls-server', 'constructor', 'TLS-EXPORTER']) {
    expect(channelBinding(ends.ours, type)).toBeNull()
  }
  part(ends)
  expect(channelBinding(ends.ours, 'tls-exporter')).toBeNull()
})
