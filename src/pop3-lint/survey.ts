/**
 * One session in which the mailbox is read as any client reads it. Rows compare with it, so that
 * the messages come over the network once and not once for each row.
 */
import { linesOf } from './capabilities.js'
import type { Client, Reply } from './client.js'
import { NoAnswer } from './connection.js'
import { markerOf } from './test-messages.js'

/** Messages that are retrieved, the newest ones. */
const MAX_MESSAGES = 60
/** Octets of all that are retrieved, and of one. */
const MAX_OCTETS = 32 * 1024 * 1024
const MAX_MESSAGE = 4 * 1024 * 1024

export interface Mail {
  readonly number: number
  /** Octets that LIST says. */
  readonly size: number
  /** On the wire, without the final dot; `null` if RETR was refused. */
  readonly wire: Buffer | null
  /** Which of the test messages it is; `null` for any other mail. */
  readonly marker: string | null
  /** The answer to RETR. */
  readonly status: string
}

export interface Drop {
  readonly stat: string
  readonly list: Reply
  readonly uidl: Reply
  /** Message number → octets, of all messages. */
  readonly sizes: ReadonlyMap<number, number>
  /** Message number → unique-id, of all messages; empty when the server has no UIDL. */
  readonly uids: ReadonlyMap<number, string>
  /** Those that were retrieved. */
  readonly mails: readonly Mail[]
}

/** @param client that is logged in */
export async function survey(client: Client, { retrieve = true } = {}): Promise<Drop> {
  const { status: stat } = await heard(client, 'STAT')
  const list = await heard(client, 'LIST')
  const uidl = await heard(client, 'UIDL')
  const sizes = numbered(list)
  const octets = new Map([...sizes].map(([number, size]) => [number, Number(size)]))
  const mails: Mail[] = []
  const chosen = retrieve ? sample(octets) : []
  for (const number of chosen) mails.push(await read(client, number, octets.get(number)!))
  return { stat, list, uidl, sizes: octets, uids: numbered(uidl), mails }
}

/** A server that falls silent here is faulty, not unreachable: the rows say so. */
async function heard(client: Client, command: string): Promise<Reply> {
  try {
    return await client.ask(command)
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    client.drop()
    return { status: `(${error.message})`, ok: false, body: null }
  }
}

/** The newest messages, as many as the limits allow. */
function sample(sizes: ReadonlyMap<number, number>): number[] {
  const chosen: number[] = []
  let octets = 0
  for (const [number, size] of [...sizes].toReversed()) {
    if (!(size <= MAX_MESSAGE)) continue
    octets += size
    if (octets > MAX_OCTETS || chosen.length === MAX_MESSAGES) break
    chosen.unshift(number)
  }
  return chosen
}

async function read(client: Client, number: number, size: number): Promise<Mail> {
  const { status, body } = await heard(client, `RETR ${number}`)
  return { number, size, status, wire: body, marker: body === null ? null : markerOf(body) }
}

/** The lines `number value` of LIST and UIDL. */
function numbered({ body }: Reply): Map<number, string> {
  const lines = body === null ? [] : linesOf(body)
  const pairs = lines.map((line) => /^(\d{1,10}) (\S+)/.exec(line))
  return new Map(pairs.flatMap((pair) => (pair === null ? [] : [[Number(pair[1]), pair[2]!]])))
}
