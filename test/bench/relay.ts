/**
 * Mail through to another server, mailtap beside Postfix: from the first byte until a sink has the
 * last message. mailtap forwards by an alias what Postfix simply relays; both keep a message on
 * their disk until the sink has it.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MailSink } from '../helpers/mail-sink.js'
import type { Group } from './group.js'
import { postfixMissing, startPostfix } from './postfix.js'
import { load, startMailtap } from './process.js'
import { line, median, say } from './report.js'
import { makeSite } from './site.js'

/** Milliseconds that a server may relay after the last message was taken. */
const RELAYED_MS = 120_000
const LOOK_MS = 5
const OCTETS = 1_024
const WIDTHS = [34, 12, 12, 8, 14, 14, 8]
const CELLS = [
  { connections: 20, messages: 2_000 },
  { connections: 1, messages: 500 },
]
type Cell = (typeof CELLS)[number]

export interface RelayBench {
  readonly root: string
  readonly cli: string
  readonly rounds: number
}

interface Server {
  readonly port: number
  readonly group: Group
}

interface Passed {
  readonly perSecond: number
  readonly cpu: number
}

export async function relay({ root, cli, rounds }: RelayBench): Promise<void> {
  const missing = postfixMissing()
  if (missing !== null) return say(`Relaying beside Postfix: not measured, ${missing}`)
  say(`Relaying 1 KiB, until a sink has it; medians of ${rounds}; CPU in ms per message`)
  const count = { taken: 0 }
  const sink = await MailSink.start(() => {
    count.taken++
    return '250 2.0.0 taken'
  })
  const servers = [await forwarding(root, cli, sink.port), await startPostfix(root, [], sink.port)]
  say(line(['', 'mailtap/s', 'Postfix/s', 'times', 'mailtap CPU', 'Postfix CPU', 'times'], WIDTHS))
  try {
    for (const cell of CELLS) await compare(servers, cell, rounds, count)
  } finally {
    for (const { group } of servers) await group.stop()
    await sink.stop()
  }
}

/** A site whose only address leads elsewhere. */
async function forwarding(root: string, cli: string, port: number): Promise<Server> {
  const relayed = { via: `smtp://127.0.0.1:${port}` }
  const site = makeSite(root, 'relay', { users: ['postmaster'], relay: relayed })
  writeFileSync(join(site.domain, '.aliases'), 'bob: bob@far.example\n', { mode: 0o600 })
  const { group, smtp } = await startMailtap(cli, site)
  return { port: smtp, group }
}

async function compare(
  servers: readonly Server[],
  cell: Cell,
  rounds: number,
  count: { taken: number },
): Promise<void> {
  const found: Passed[][] = servers.map(() => [])
  for (const server of servers) await pass(server, cell, count)
  for (let round = 0; round < rounds; round++) {
    for (const [at, server] of servers.entries()) found[at]!.push(await pass(server, cell, count))
  }
  const [speed = 0, theirSpeed = 0] = found.map((all) => median(all.map((one) => one.perSecond)))
  const [cpu = 0, theirCpu = 0] = found.map((all) => median(all.map((one) => one.cpu)))
  const told = [speed.toFixed(0), theirSpeed.toFixed(0), (speed / theirSpeed).toFixed(2)]
  const cost = [cpu.toFixed(3), theirCpu.toFixed(3), (theirCpu / cpu).toFixed(2)]
  say(line([`${cell.connections} connections`, ...told, ...cost], WIDTHS))
}

async function pass(
  { port, group }: Server,
  { connections, messages }: Cell,
  count: { taken: number },
): Promise<Passed> {
  const each = Math.ceil(messages / connections)
  const sent = each * connections
  const wanted = count.taken + sent
  let before = 0
  let begun = 0
  await load('smtp-load.js', [port, connections, each, OCTETS], () => {
    if (begun !== 0) return
    before = group.cpu()
    begun = performance.now()
  })
  const late = performance.now() + RELAYED_MS
  while (count.taken < wanted) {
    if (performance.now() > late) throw new Error(`not all mail came: ${wanted - count.taken} miss`)
    await sleep(LOOK_MS)
  }
  const milliseconds = performance.now() - begun
  return { perSecond: (sent * 1_000) / milliseconds, cpu: (group.cpu() - before) / sent }
}
