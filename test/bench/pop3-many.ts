/** Many POP3 sessions: how many come and go in a second, and what memory those take that stay. */
import { setTimeout as sleep } from 'node:timers/promises'
import { share } from './mailboxes.js'
import {
  beside,
  CROWD,
  type Field,
  mailboxOf,
  numbered,
  OCTETS,
  STALLED,
  stocked,
} from './pop3-field.js'
import { alternating, type Pop3Server, take } from './pop3-server.js'
import { cpuRow, row, rowOf } from './pop3-table.js'
import { load } from './process.js'

const CLIENTS = [1, 20, 200]
/** Users that take turns. */
const BUSY = 200
const MAILS = { count: 10, octets: OCTETS, sized: true }
/** Milliseconds of a round, and of the one before the first. */
const ROUND_MS = 3_000
const WARM_MS = 1_500
/** Sessions after which all that a server needs once has been made. */
const SOME = 200
const LARGE = 50_000_000
const SAMPLE_MS = 250
const KB = 1_000
const MB = 1_000_000

export function sessions(field: Field): Promise<void> {
  return beside(field, async (servers) => {
    await stocked(servers, numbered('u', BUSY), MAILS)
    for (const clients of CLIENTS) {
      const run = (ms: number) => (server: Pop3Server) =>
        take(server, 'sessions', BUSY, clients, ms)
      await alternating(servers, 1, run(WARM_MS))
      const found = await alternating(servers, field.rounds, run(ROUND_MS))
      const name = clients === 1 ? '1 client' : `${clients} clients`
      rowOf(`login+STAT sessions, ${name}`, '/s', found, ({ count, milliseconds }) => [
        (count * 1e3) / milliseconds,
      ])
      cpuRow(found)
    }
  })
}

/** Of servers that have just begun: what they need for the first session counts too. */
export function idle(field: Field): Promise<void> {
  return beside(field, async (servers) => {
    await stocked(servers, numbered('u', CROWD), MAILS)
    const all: number[] = []
    const further: number[] = []
    for (const { port, group } of servers) {
      const found = [group.memory()]
      await load('pop3-load.js', [port, 'hold', SOME, CROWD], () => found.push(group.memory()))
      const [before, some, end] = found as [number, number, number]
      all.push((end - before) / CROWD / KB)
      further.push((end - some) / (CROWD - SOME) / KB)
    }
    row({ figure: `memory per idle session, ${CROWD} sessions`, unit: 'KB', values: all })
    row({ figure: `  from session ${SOME} to ${CROWD}`, unit: 'KB', values: further })
  })
}

/** Of servers that have just begun, once more. */
export function stalled(field: Field): Promise<void> {
  return beside(field, async (servers) => {
    const found: { rest: number; peak: number }[] = []
    for (const server of servers) {
      share(
        numbered('big', STALLED).map((user) => mailboxOf(server, user)),
        LARGE,
        server.owner,
      )
      found.push(await stall(server))
    }
    const name = `${STALLED} clients stop reading a ${LARGE / MB} MB RETR`
    const values = found.map(({ peak }) => peak / MB)
    row({ figure: `${name}: peak`, unit: 'MB', values })
    const over = found.map(({ rest, peak }) => (peak - rest) / MB)
    row({ figure: '  over the same sessions idle', unit: 'MB', values: over })
  })
}

/** How much more than before the logins they have when idle, and at most when clients stop reading. */
async function stall({ port, group }: Pop3Server): Promise<{ rest: number; peak: number }> {
  const before = group.memory()
  const found: number[] = []
  const see = (): void => void found.push(group.memory() - before)
  const sampling = new AbortController()
  const sampled = sample(see, sampling.signal)
  try {
    const atRest: number[] = []
    await load('pop3-load.js', [port, 'stall', STALLED], () => {
      see()
      atRest.push(found.at(-1)!)
    })
    return { rest: atRest[0]!, peak: Math.max(...found) }
  } finally {
    sampling.abort()
    await sampled
  }
}

async function sample(see: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    see()
    await sleep(SAMPLE_MS)
  }
}
