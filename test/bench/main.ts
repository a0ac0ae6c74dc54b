/**
 * Measures mailtap on this machine, beside a minimal program on npm's smtp-server and beside Postfix and Dovecot.
 * Usage: npm run bench [-- [smtp] [mx] [relay] [pop3] [memory] [rounds=N] [messages=N] [workers=N] [rows=NAME,NAME] [at=DIRECTORY]]
 * ROWS of pop3.ts has the names, mx.ts looks for them in those of its cells; the mail is on tmpfs unless a directory of a disk is given.
 */
import { rmSync, statfsSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { type Running, load, memory, resetPeak, startMailtap, startNaive, stop } from './process.js'
import { mx } from './mx.js'
import { pop3 } from './pop3.js'
import { relay } from './relay.js'
import { median, say, table } from './report.js'
import { type Site, empty, makeRoot, makeSite } from './site.js'

const CONNECTIONS = 20
const LARGE = 50_000_000
const SENDERS = 50

const [, , cli, ...words] = process.argv
const chosen = words.filter((each) => !each.includes('='))
const rounds = setting('rounds', 5)
/** Of all connections together, in one round. */
const messages = setting('messages', 8_000)
/** Of mailtap; 0 = one process. */
const workers = setting('workers', 0)

function word(name: string): string | undefined {
  return words.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1)
}

function setting(name: string, usual: number): number {
  const given = word(name)
  return given === undefined ? usual : Number(given)
}

interface Round {
  readonly perSecond: number
  readonly cpuPerMessage: number
}

async function smtpRound(server: Running, count: number): Promise<Round> {
  const used: number[] = []
  const each = Math.ceil(count / CONNECTIONS)
  const { milliseconds } = await load('smtp-load.js', [server.smtp, CONNECTIONS, each, 1_024], () =>
    used.push(server.group.cpu()),
  )
  const sent = each * CONNECTIONS
  const arrived = empty(server.maildir)
  if (arrived !== sent) throw new Error(`${server.name}: ${sent} sent, ${arrived} arrived`)
  return { perSecond: (sent * 1_000) / milliseconds, cpuPerMessage: (used[1]! - used[0]!) / sent }
}

/** Both servers run all the time and take turns, so that what else the machine does hits both. */
async function smtp(site: Site): Promise<void> {
  say(`SMTP: messages of 1 KiB, ${CONNECTIONS} connections, on the disk before the 250`)
  const servers = [await startMailtap(cli!, site), await startNaive(join(site.root, 'naive'))]
  const results = new Map(servers.map((server) => [server, [] as Round[]]))
  for (const server of servers) await smtpRound(server, messages / 2)
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) results.get(server)!.push(await smtpRound(server, messages))
  }
  for (const server of servers) await stop(server)
  tellSmtp([...results].map(([server, all]) => ({ name: server.name, all })))
}

function tellSmtp(results: readonly { name: string; all: readonly Round[] }[]): void {
  const rows = results.map(({ name, all }) => {
    const speeds = all.map(({ perSecond }) => perSecond)
    return {
      name,
      speed: median(speeds),
      range: `${Math.min(...speeds).toFixed(0)}-${Math.max(...speeds).toFixed(0)}`,
      cpu: median(all.map(({ cpuPerMessage }) => cpuPerMessage)),
    }
  })
  const [ours, theirs] = rows as [(typeof rows)[0], (typeof rows)[0]]
  table([
    [`median of ${rounds}`, 'messages/s', 'range', 'CPU ms/message'],
    ...rows.map((row) => [row.name, row.speed.toFixed(0), row.range, row.cpu.toFixed(3)]),
    ['ratio', (ours.speed / theirs.speed).toFixed(2), '', (ours.cpu / theirs.cpu).toFixed(2)],
  ])
}

async function large(site: Site): Promise<void> {
  say(`Memory: ${SENDERS} senders of ${LARGE / 1e6} MB at once`)
  const { bavail, bsize } = statfsSync(site.root)
  if (bavail * bsize < SENDERS * LARGE * 1.5) {
    say(`  not measured: ${site.root} has no room for ${(SENDERS * LARGE * 1.5) / 1e9} GB`)
    return
  }
  const server = await startMailtap(cli!, site)
  const pid = server.child.pid!
  const idle = memory(pid).now
  resetPeak(pid)
  const { milliseconds } = await load('smtp-load.js', [server.smtp, SENDERS, 1, LARGE])
  const { peak } = memory(pid)
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
  table([
    ['', 'RSS'],
    ['idle', mb(idle)],
    ['peak', mb(peak)],
    ['peak over idle', mb(peak - idle)],
  ])
  say(`  ${((SENDERS * LARGE) / 1e3 / milliseconds).toFixed(0)} MB/s`)
  await stop(server)
  empty(server.maildir)
}

const PARTS = {
  mx: (root: string) => mx({ root, cli: cli!, rounds, workers }, word('rows')?.split(',') ?? []),
  relay: (root: string) => relay({ root, cli: cli!, rounds }),
  smtp: (root: string) => smtp(makeSite(root, 'smtp', { workers })),
  pop3: (root: string) =>
    pop3({ root, cli: cli!, rounds, workers }, word('rows')?.split(',') ?? []),
  memory: (root: string) => large(makeSite(root, 'memory', { workers })),
}

async function main(): Promise<void> {
  const root = makeRoot(word('at'))
  endAtSignal(root)
  say(
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}`,
  )
  say(`mail in ${root}; the load runs in a process of its own on the same machine`)
  try {
    for (const [name, part] of Object.entries(PARTS)) {
      if (chosen.length > 0 && !chosen.includes(name)) continue
      say()
      await part(root)
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** Whatever runs then is ended on the way out, see group.ts. */
function endAtSignal(root: string): void {
  process.once('exit', () => rmSync(root, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      throw new Error(`ended by ${signal}`)
    })
  }
}

void main()
