/** Hands a message to a server that answers in HTTP, and reads its bounded answer within a time. */
import { type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Message } from '../mail/message.js'

/** Octets of an answer: those of rspamd with all its symbols are some 20,000. */
const MAX_ANSWER = 1_048_576
const OK = 200

export interface Posting {
  /** Names may come more than once. */
  readonly headers: readonly (readonly [string, string])[]
  readonly message: Message
  /** From the first octet out to the last one in. */
  readonly timeoutMs: number
}

/**
 * @returns the body of the answer, as UTF-8
 * @throws Error when there is no answer in time, it is too large, or not 200
 */
export async function post(url: URL, { headers, message, timeoutMs }: Posting): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs)
  const length: [string, string] = ['Content-Length', String(message.size)]
  const sent = request(url, {
    method: 'POST',
    headers: [['Host', url.host], length, ...headers].flat(),
    signal,
    // One connection per message: none is left that the other side gave up meanwhile.
    agent: false,
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
