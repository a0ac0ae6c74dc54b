/** Hands a message to a server that answers in HTTP, and reads its bounded answer within a time. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Message } from '../mail/message.js'

/** Octets of an answer: those of rspamd with all its symbols are some 20,000. */
const MAX_ANSWER = 1_048_576
const OK = 200
const HTTP = 80

export interface Posting {
  /** Names may come more than once. */
  readonly headers: readonly (readonly [string, string])[]
  readonly message: Message
  /** Ends it all, up to the last octet in. */
  readonly signal: AbortSignal
}

/**
 * A connection of its own for one message: none is left that the other side gave up meanwhile.
 * A step of its own, too: who cannot be reached has not seen what is to be posted.
 * @throws Error when nobody answers there
 */
export async function reach({ hostname, port }: URL, signal: AbortSignal): Promise<Socket> {
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || HTTP),
    signal,
  })
  // It may break at any time from here on; whoever uses it hears of that by what is missing.
  socket.on('error', () => {})
  await once(socket, 'connect', { signal })
  return socket
}

/**
 * @param socket open; it is closed in the end
 * @returns the body of the answer, as UTF-8
 * @throws Error when there is no answer in time, it is too large, or not 200
 */
export async function post(
  socket: Socket,
  url: URL,
  { headers, message, signal }: Posting,
): Promise<string> {
  const length: [string, string] = ['Content-Length', String(message.size)]
  const sent = request(url, {
    method: 'POST',
    headers: [['Host', url.host], length, ...headers].flat(),
    signal,
    createConnection: () => socket,
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', reject)
  })
  // It may answer and hang up before it has read everything: then the answer counts.
  const sending = pipeline(Readable.from(message.open()), sent, { signal })
  sending.catch(() => {})
  try {
    const answer = await answered
    const text = await textOf(answer)
    if (answer.statusCode !== OK) throw new Error(`HTTP status ${answer.statusCode}`)
    return text
  } finally {
    sent.destroy()
  }
}

async function textOf(answer: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of answer) {
    size += piece.length
    if (size > MAX_ANSWER) throw new Error(`the answer is larger than ${MAX_ANSWER} octets`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
