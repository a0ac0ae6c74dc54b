/**
 * DELE, RSET, QUIT (RFC 1939 sections 5 and 6). A faulty server removes what it should not, so
 * messages are marked only if they are test messages, or if any may be lost.
 */
import { linesOf } from '../capabilities.js'
import type { Client } from '../client.js'
import { type Bench, fail, pass, type Row, skip, type Verdict, verdict } from '../row.js'
import { scapegoat } from '../scapegoat.js'

const NO_GOAT = 'no test message that may be marked (--messages), and no --destructive'

export const deletion: readonly Row[] = [
  // First: a server that removes at once has other numbers from here on.
  {
    id: 'dele-lost',
    what: 'a connection that is lost before QUIT removes nothing',
    rfc: 'RFC 1939 §6',
    async check(bench) {
      const goat = scapegoat(bench)
      if (goat === null) return skip(NO_GOAT)
      const client = await bench.login()
      await client.ask(`DELE ${goat}`)
      client.drop()
      const { status } = await (await bench.loginAnew()).ask('STAT')
      return status === bench.drop.stat ? pass() : fail(bench.drop.stat, status)
    },
  },
  {
    id: 'dele-refuses',
    what: 'a marked message is refused to RETR, TOP, LIST, UIDL and DELE',
    rfc: 'RFC 1939 §5 DELE',
    at: 'login',
    lines: [
      'C: DELE {t}',
      'S: +OK',
      ...['RETR {t}', 'TOP {t} 0', 'LIST {t}', 'UIDL {t}', 'DELE {t}'].flatMap((command) => [
        `C: ${command}`,
        'S: -ERR',
      ]),
    ],
  },
  withMark('dele-stat', 'STAT does not count a marked message', 'RFC 1939 §5 STAT', statWithout),
  withMark(
    'dele-list',
    'LIST passes over a marked message, and numbers no other one anew',
    'RFC 1939 §5 LIST',
    (client, { drop }, goat) => listWithout(client, 'LIST', drop.sizes, goat),
  ),
  withMark(
    'dele-uidl',
    'UIDL passes over a marked message, and numbers no other one anew',
    'RFC 1939 §7 UIDL',
    (client, { drop }, goat) => listWithout(client, 'UIDL', drop.uids, goat),
  ),
  withMark('rset', 'RSET unmarks all messages', 'RFC 1939 §5 RSET', async (client, { drop }) => {
    await client.ask('RSET')
    const { status } = await client.ask('STAT')
    return status === drop.stat ? pass() : fail(drop.stat, status)
  }),
  {
    id: 'quit',
    what: 'QUIT says +OK and hangs up',
    rfc: 'RFC 1939 §6 QUIT',
    at: 'login',
    lines: ['C: QUIT', 'S: +OK', 'S: end'],
  },
  {
    id: 'dele-quit',
    what: 'QUIT removes the marked message, that one only, at once',
    rfc: 'RFC 1939 §6 QUIT',
    async check(bench) {
      const goat = scapegoat(bench)
      if (!bench.destructive) return skip('removes a message for good: --destructive')
      if (goat === null || bench.drop.uids.size === 0) return skip('needs a message, and UIDL')
      return removeForGood(bench, goat)
    },
  },
]

function withMark(
  id: string,
  what: string,
  rfc: string,
  look: (client: Client, bench: Bench, goat: number) => Promise<Verdict>,
): Row {
  return {
    id,
    what,
    rfc,
    async check(bench) {
      const goat = scapegoat(bench)
      if (goat === null) return skip(NO_GOAT)
      const client = await bench.login()
      const { ok, status } = await client.ask(`DELE ${goat}`)
      if (!ok) return fail('+OK', `DELE ${goat}: ${status}`)
      const seen = await look(client, bench, goat)
      await client.ask('RSET')
      return seen
    },
  }
}

async function statWithout(client: Client, { drop }: Bench, goat: number): Promise<Verdict> {
  const left = [...drop.sizes].filter(([number]) => number !== goat)
  const expected = `+OK ${left.length} ${left.reduce((sum, [, size]) => sum + size, 0)}`
  const { status } = await client.ask('STAT')
  return status === expected || status.startsWith(`${expected} `) ? pass() : fail(expected, status)
}

async function listWithout(
  client: Client,
  verb: string,
  all: ReadonlyMap<number, string | number>,
  goat: number,
): Promise<Verdict> {
  if (all.size === 0) return skip(`no ${verb}`)
  const { body, status } = await client.ask(verb)
  if (body === null) return fail('+OK and a list', status)
  const expected = [...all].filter(([number]) => number !== goat).map((pair) => pair.join(' '))
  const came = linesOf(body)
  const wrong = expected.flatMap((line, index) =>
    came[index] === line ? [] : [`${came[index] ?? 'nothing'} instead of ${line}`],
  )
  const more = came.length > expected.length ? [`${came.length - expected.length} lines more`] : []
  return verdict('the list without that line', [...wrong, ...more])
}

async function removeForGood(bench: Bench, goat: number): Promise<Verdict> {
  const client = await bench.login()
  const before = [...bench.drop.uids].filter(([number]) => number !== goat).map(([, uid]) => uid)
  await client.ask(`DELE ${goat}`)
  const { ok, status } = await client.ask('QUIT')
  if (!ok) return fail('+OK', `QUIT: ${status}`)
  const { body } = await (await bench.loginAnew()).ask('UIDL')
  const after = linesOf(body ?? Buffer.alloc(0)).map((line) => line.split(' ')[1])
  const wrong = before.flatMap((uid, index) =>
    after[index] === uid ? [] : [`${after[index] ?? 'nothing'} instead of ${uid}`],
  )
  const removed = bench.drop.uids.get(goat)
  return verdict('all but that one', [
    ...(after.includes(removed) ? [`${removed} is still there`] : []),
    ...wrong,
  ])
}
