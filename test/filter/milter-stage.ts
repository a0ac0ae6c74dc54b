/** Milters for tests: one in Python on libmilter, one that follows a script, and ours that talks to them. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { MilterFilter } from '../../src/filter/milter.js'
import type { MilterEndpoint } from '../../src/filter/milter-wire.js'
import type { OnError } from '../../src/filter/outage.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { answers, startDaemon } from '../helpers/daemon.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { keptLog } from '../helpers/kept-log.js'
import { envelopeOf } from '../helpers/mail-world.js'
import { testWith } from '../helpers/programs.js'

const SCRIPT = join(import.meta.dirname, 'wanted-milter.py')
/** pymilter is no program that could be looked for. */
const PYMILTER = '/usr/lib/python3/dist-packages/Milter/__init__.py'
export const ENVELOPE = envelopeOf('bob@far.example', 'alice@example.com')
export const DEFERRED = {
  code: 451,
  status: '4.7.1',
  message: expect.stringContaining('cannot be checked'),
}

export const mail = (wanted: string, body = 'hello\n'): Message =>
  fromBuffer(Buffer.from(`From: bob@far.example\nX-Wanted: ${wanted}\nSubject: x\n\n${body}`))

/** Ours talks to the milter there. */
export function filterAt(endpoint: MilterEndpoint, onError: OnError = 'defer', timeoutMs = 20_000) {
  const log = keptLog()
  const options = { hostname: 'mx.example', maxHeader: 2_000_000, log }
  return { filter: new MilterFilter({ endpoint, timeoutMs, onError }, options), log }
}

/** The milter in Python, on a UNIX socket. */
export async function wantedMilter(): Promise<MilterEndpoint> {
  const path = join(await temporaryDirectory(), 'milter.sock')
  const daemon = await startDaemon('python3', [SCRIPT, `unix:${path}`], () => answers(path))
  onTestFinished(() => daemon.stop())
  return { path }
}

/** A milter that answers each connection with what the test says. */
export async function scripted(serve: (socket: Socket) => void): Promise<MilterEndpoint> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

export function packet(command: string, ...data: readonly (number | string)[]): Buffer {
  const parts = data.map((each) => {
    if (typeof each === 'string') return Buffer.from(each)
    const number = Buffer.alloc(4)
    number.writeUInt32BE(each)
    return number
  })
  const bytes = Buffer.concat([Buffer.from(command), ...parts])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

export function testWithPython(name: string, body: () => Promise<void>): void {
  testWith(existsSync(PYMILTER) ? ['python3'] : ['python3-milter'], name, body)
}
