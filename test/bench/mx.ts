/**
 * Mail into Maildirs, mailtap beside Postfix: from the first byte until the last message can be
 * read, for some sizes, connections and recipients.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Group } from './group.js'
import { postfixMissing, startPostfix } from './postfix.js'
import { load, startMailtap } from './process.js'
import { line, median, say } from './report.js'
import { empty, makeSite } from './site.js'

/** Milliseconds that a server may deliver after the last message was taken. */
const DELIVERED_MS = 120_000
const LOOK_MS = 5
const MANY = 50
const USERS = ['bob', ...Array.from({ length: MANY }, (_, at) => `u${at + 1}`)]
const WIDTHS = [34, 12, 12, 8, 14, 14, 8]

interface Cell {
  readonly name: string
  readonly connections: number
  readonly octets: number
  readonly recipients: number
  /** Of all connections together. */
  readonly messages: number
}

const KIB = 1_024
const MIB = 1_024 * KIB

/** So many messages that the smaller server works for about a second. */
function cells(): Cell[] {
  const sizes = [
    { size: '1 KiB', octets: KIB, one: 800, many: 40 },
    { size: '100 KiB', octets: 100 * KIB, one: 300, many: 20 },
    { size: '1 MiB', octets: MIB, one: 100, many: 10 },
    { size: '25 MiB', octets: 25 * MIB, one: 8, many: 2 },
  ]
  return sizes.flatMap(({ size, octets, one, many }) =>
    [1, 20, 100].flatMap((connections) =>
      [1, MANY].flatMap((recipients) => {
        const messages = Math.max(connections, recipients === 1 ? one : many)
        const name = `${size}, ${connections} connections, ${recipients} rcpt`
        // A hundred times 25 MiB times 50 would not fit into memory.
        const fits = octets * messages * (recipients === 1 ? 1 : MANY) < 16e9
        return fits ? [{ name, connections, octets, recipients, messages }] : []
      }),
    ),
  )
}

interface Server {
  readonly port: number
  readonly mail: string
  readonly group: Group
}

interface Taken {
  readonly perSecond: number
  readonly cpu: number
}

export interface MxBench {
  readonly root: string
  readonly cli: string
  readonly rounds: number
  readonly workers: number
}

/** @param rows parts of the names of cells; all if there are none */
export async function mx(
  { root, cli, rounds, workers }: MxBench,
  rows: readonly string[],
): Promise<void> {
  const missing = postfixMissing()
  if (missing !== null) return say(`Mail in beside Postfix: not measured, ${missing}`)
  say(`Mail in, until it is in the Maildirs; medians of ${rounds}; CPU in ms per message`)
  const site = makeSite(root, 'mx', { users: [...USERS, 'postmaster'], workers })
  const { group, smtp: port } = await startMailtap(cli, site)
  const servers: Server[] = [
    { port, mail: site.domain, group },
    await startPostfix(root, USERS, null),
  ]
  say(line(['', 'mailtap/s', 'Postfix/s', 'times', 'mailtap CPU', 'Postfix CPU', 'times'], WIDTHS))
  try {
    for (const cell of cells()) {
      if (rows.length === 0 || rows.some((row) => cell.name.includes(row))) {
        await compare(servers, cell, rounds)
      }
    }
  } finally {
    for (const server of servers) await server.group.stop()
  }
}

async function compare(servers: readonly Server[], cell: Cell, rounds: number): Promise<void> {
  const found: Taken[][] = servers.map(() => [])
  for (const server of servers) await take(server, cell)
  for (let round = 0; round < rounds; round++) {
    for (const [at, server] of servers.entries()) found[at]!.push(await take(server, cell))
  }
  const speeds = found.map((all) => median(all.map(({ perSecond }) => perSecond)))
  const cpus = found.map((all) => median(all.map(({ cpu }) => cpu)))
  const [speed = 0, theirSpeed = 0] = speeds
  const [cpu = 0, theirCpu = 0] = cpus
  const told = [speed.toFixed(1), theirSpeed.toFixed(1), (speed / theirSpeed).toFixed(2)]
  const cost = [cpu.toFixed(2), theirCpu.toFixed(2), (theirCpu / cpu).toFixed(2)]
  say(line([cell.name, ...told, ...cost], WIDTHS))
}

async function take({ port, mail, group }: Server, cell: Cell): Promise<Taken> {
  const { connections, octets, recipients, messages } = cell
  const each = Math.ceil(messages / connections)
  const sent = each * connections
  const boxes = recipients === 1 ? ['bob'] : USERS.slice(1, recipients + 1)
  let before = 0
  let begun = 0
  await load('smtp-load.js', [port, connections, each, octets, recipients], () => {
    if (begun !== 0) return
    before = group.cpu()
    begun = performance.now()
  })
  await arrived(boxes, mail, sent)
  const milliseconds = performance.now() - begun
  const cpu = (group.cpu() - before) / sent
  for (const box of boxes) empty(join(mail, box))
  return { perSecond: (sent * 1_000) / milliseconds, cpu }
}

async function arrived(boxes: readonly string[], mail: string, count: number): Promise<void> {
  const late = performance.now() + DELIVERED_MS
  for (const box of boxes) {
    const folder = join(mail, box, 'new')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    while (readdirSync(folder).length < count) {
      if (performance.now() > late) throw new Error(`${folder}: not all mail came`)
      await sleep(LOOK_MS)
    }
  }
}
