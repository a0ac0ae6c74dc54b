/** SCRAM-SHA-256-PLUS over real TLS: the client binds its proof to the connection that it sees. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Mailtap, mailtap } from '../../src/mailtap.js'
import { ScramClient } from '../sasl/client.js'
import { base64, plainText } from '../sasl/surroundings.js'

const [username, password] = ['alice@example.com', 'pencil €']
let server: Mailtap

beforeAll(async () => {
  const listen = { pop3: ['127.0.0.1:0'], pop3s: ['127.0.0.1:0'] }
  server = mailtap({ users: { [username]: password }, listen })
  await server.start()
})
afterAll(() => server.stop())

/** The first login starts a thread, which takes a loaded machine its time. */
const PATIENCE = { timeout: 20_000 }

/** A line-by-line client on TLS. */
class Pop3s {
  readonly socket: TLSSocket
  #heard = ''

  private constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => (this.#heard += chunk.toString()))
    socket.on('error', () => {})
  }

  static async implicit(options: ConnectionOptions = {}): Promise<Pop3s> {
    const port = server.port('pop3s')
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    await once(socket, 'secureConnect')
    const client = new Pop3s(socket)
    await client.line()
    return client
  }

  static async stls(): Promise<Pop3s> {
    const plain = connectTcp(server.port('pop3'), '127.0.0.1')
    await once(plain, 'data')
    plain.write('STLS\r\n')
    await once(plain, 'data')
    const socket = connect({ socket: plain, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    return new Pop3s(socket)
  }

  async line(): Promise<string> {
    await expect.poll(() => this.#heard, PATIENCE).toContain('\r\n')
    const [line = ''] = this.#heard.split('\r\n')
    this.#heard = this.#heard.slice(line.length + 2)
    return line
  }

  ask(text: string): Promise<string> {
    this.socket.write(`${text}\r\n`)
    return this.line()
  }
}

const challenge = (line: string): string => plainText(line.replace(/^\+ /, ''))

/** @returns the last reply */
async function logIn(pop: Pop3s, type: string, bindingData: Buffer): Promise<string> {
  const client = new ScramClient({ username, password, header: `p=${type},,`, bindingData })
  const first = await pop.ask(`AUTH SCRAM-SHA-256-PLUS ${base64(client.first())}`)
  if (!first.startsWith('+ ')) return first
  const last = await pop.ask(base64(client.final(challenge(first))))
  if (!last.startsWith('+ ')) return last
  expect(client.trusts(challenge(last))).toBe(true)
  return pop.ask('')
}

const exported = ({ socket }: Pop3s): Buffer =>
  socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))

const certificateHash = ({ socket }: Pop3s): Buffer =>
  createHash('sha256').update(socket.getPeerX509Certificate()!.raw).digest()

describe('SCRAM-SHA-256-PLUS', () => {
  test('logs in inside TLS and after STLS, bound by tls-exporter', async () => {
    for (const pop of [await Pop3s.implicit(), await Pop3s.stls()]) {
      expect(await logIn(pop, 'tls-exporter', exported(pop))).toBe('+OK 0 messages (0 octets)')
      expect(await pop.ask('QUIT')).toBe('+OK bye')
    }
  })

  test('logs in bound by tls-server-end-point, and by tls-unique in TLS 1.2', async () => {
    const modern = await Pop3s.implicit()
    expect(await logIn(modern, 'tls-server-end-point', certificateHash(modern))).toMatch(/^\+OK/)
    await modern.ask('QUIT')
    const old = await Pop3s.implicit({ maxVersion: 'TLSv1.2' })
    expect(await logIn(old, 'tls-unique', old.socket.getFinished()!)).toMatch(/^\+OK/)
    await old.ask('QUIT')
  })

  test('refuses a proof that was made on another connection', async () => {
    const [pop, other] = [await Pop3s.implicit(), await Pop3s.implicit()]
    expect(await logIn(pop, 'tls-exporter', exported(other))).toMatch(/^-ERR \[AUTH\]/)
    expect(await logIn(pop, 'tls-unique', Buffer.alloc(12))).toMatch(/^-ERR \[AUTH\]/)
    pop.socket.destroy()
    other.socket.destroy()
  })
})
