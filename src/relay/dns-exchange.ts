/**
 * One question to one name server and its reply: by UDP from a port that
 * nobody knows, by TCP when the reply did not fit (RFC 1035 section 4.2, RFC 7766).
 */
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { type DnsQuestion, type DnsReply, encodeQuestion, parseReply } from './dns-wire.js'

/** Packets that are no reply to the question: somebody guesses, and shall not guess for long. */
const MAX_STRAYS = 20
/** Octets in front of a message over TCP. */
const LENGTH = 2

export interface DnsServer {
  /** IP address. */
  readonly address: string
  readonly port: number
}

/**
 * @param patienceMs for UDP, and again for TCP
 * @throws Error when no reply comes in time, or none that can be read
 */
export async function exchange(
  server: DnsServer,
  question: DnsQuestion,
  patienceMs: number,
): Promise<DnsReply> {
  const reply = await within(patienceMs, (signal) => byUdp(server, question, signal))
  if (!reply.truncated) return reply
  const whole = await within(patienceMs, (signal) => byTcp(server, question, signal))
  if (whole.truncated) throw new Error('a truncated reply over TCP')
  return whole
}

/** Connected: the kernel lets no packet of another sender in, and tells when nobody listens. */
function byUdp(server: DnsServer, question: DnsQuestion, signal: AbortSignal): Promise<DnsReply> {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
  let strays = 0
  return new Promise<DnsReply>((resolve, reject) => {
    const query = encodeQuestion(question)
    signal.addEventListener('abort', () => reject(new Error('no reply in time')))
    socket.on('error', reject)
    socket.on('message', (bytes) => {
      const reply = readable(bytes, question)
      if (reply !== null) return resolve(reply)
      if (++strays >= MAX_STRAYS) reject(new Error('too many packets that are no reply'))
    })
    socket.once('connect', () => socket.send(query))
    socket.connect(server.port, server.address)
  }).finally(() => socket.close())
}

/** What cannot be read may come from anybody: the server's own reply may still be on its way. */
function readable(bytes: Buffer, question: DnsQuestion): DnsReply | null {
  try {
    return parseReply(bytes, question)
  } catch {
    return null
  }
}

function byTcp(server: DnsServer, question: DnsQuestion, signal: AbortSignal): Promise<DnsReply> {
  const socket = connect(server.port, server.address)
  const pieces: Buffer[] = []
  return new Promise<DnsReply>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('no reply in time')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the name server hung up')))
    socket.on('data', (piece) => {
      pieces.push(piece)
      attempt(reject, () => {
        const message = wholeMessage(Buffer.concat(pieces))
        if (message !== null) resolve(replyIn(message, question))
      })
    })
    const query = encodeQuestion(question)
    socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 0xff]), query]))
  }).finally(() => socket.destroy())
}

/** `null` = there is more to come. */
function wholeMessage(bytes: Buffer): Buffer | null {
  if (bytes.length < LENGTH) return null
  const end = LENGTH + bytes.readUInt16BE(0)
  return bytes.length < end ? null : bytes.subarray(LENGTH, end)
}

function replyIn(message: Buffer, question: DnsQuestion): DnsReply {
  const reply = parseReply(message, question)
  if (reply === null) throw new Error('a reply to another question')
  return reply
}

/** What is thrown within a listener would have no catcher. */
function attempt(reject: (error: unknown) => void, work: () => void): void {
  try {
    work()
  } catch (error) {
    reject(error)
  }
}

async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), ms)
  try {
    return await work(late.signal)
  } finally {
    clearTimeout(timer)
  }
}
