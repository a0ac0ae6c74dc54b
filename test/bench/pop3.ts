/** POP3: what a login, a list, a retrieval and a removal cost in small and large mailboxes. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Running, cpu, load, startMailtap, stop } from './process.js'
import { median, table } from './report.js'
import { type Mails, type Site, empty, fill } from './site.js'

const LOGINS = 15
const SIZES = [10, 10_000, 100_000]
const FETCHED = 10_000
const LARGE = { count: 200, octets: 1_048_576 }
const REMOVED = 10_000

interface Measured {
  readonly each: readonly number[]
  readonly octets: number
  /** Milliseconds of CPU that the server used. */
  readonly cpu: number
}

async function measure(server: Running, mode: string, times: number): Promise<Measured> {
  const used: number[] = []
  const outcome = await load('pop3-load.js', [server.pop3, mode, times], () => {
    used.push(cpu(server.child.pid!))
  })
  const each = outcome.each ?? [outcome.milliseconds]
  return { each, octets: outcome.octets ?? 0, cpu: used[1]! - used[0]! }
}

const ms = (value: number): string => `${value.toFixed(1)} ms`

/** Every login to a mailbox of that size, with its index and without. */
async function logins(server: Running, count: number): Promise<string[][]> {
  const mails = { count, octets: 4_096, sized: true }
  const { each: warm, cpu: used } = await filled(server, mails, async () => {
    await measure(server, 'login', 2)
    return measure(server, 'login', LOGINS)
  })
  const bare: number[] = []
  for (let round = 0; round < 3; round++) {
    const found = await filled(server, { ...mails, sized: false }, () =>
      measure(server, 'login', 1),
    )
    bare.push(...found.each)
  }
  const name = `login to STAT, ${count} messages`
  return [
    [`${name}, warm`, ms(median(warm)), ms(used / LOGINS)],
    [`${name}, no index, no sizes in names`, ms(median(bare)), ''],
  ]
}

/** Times are settled once they are older than a tick of the kernel's clock. */
async function filled<T>(server: Running, mails: Mails, act: () => Promise<T>): Promise<T> {
  fill(server.maildir, mails)
  await new Promise((resolve) => setTimeout(resolve, 50))
  try {
    return await act()
  } finally {
    empty(server.maildir)
    rmSync(join(server.maildir, 'mailtap-index'), { force: true })
  }
}

async function lists(server: Running): Promise<string[][]> {
  const { each, cpu: used } = await filled(
    server,
    { count: 100_000, octets: 4_096, sized: true },
    () => measure(server, 'uidl', LOGINS),
  )
  return [['UIDL, 100000 messages', ms(median(each)), ms(used / LOGINS)]]
}

async function retrievals(server: Running, rounds: number): Promise<string[][]> {
  return filled(server, { count: FETCHED, octets: 4_096, sized: true }, async () => {
    const rows: string[][] = []
    for (const mode of ['sequential', 'pipelined']) {
      const found: Measured[] = []
      for (let n = 0; n < rounds; n++) found.push(await measure(server, mode, FETCHED))
      const speed = (FETCHED * 1_000) / median(found.map(({ each }) => each[0]!))
      const used = median(found.map((one) => one.cpu)) / FETCHED
      rows.push([`RETR of 4 KiB, ${mode}`, `${speed.toFixed(0)}/s`, `${used.toFixed(3)} ms`])
    }
    return rows
  })
}

async function largeOnes(server: Running, rounds: number): Promise<string[][]> {
  return filled(server, { ...LARGE, sized: true }, async () => {
    const found: Measured[] = []
    for (let n = 0; n < rounds; n++) found.push(await measure(server, 'poured', LARGE.count))
    const speed = median(found.map(({ each, octets }) => octets / each[0]! / 1e3))
    const used = median(found.map((one) => one.cpu)) / LARGE.count
    return [['RETR of 1 MiB', `${speed.toFixed(0)} MB/s`, `${used.toFixed(2)} ms`]]
  })
}

async function removals(server: Running, rounds: number): Promise<string[][]> {
  const found: Measured[] = []
  for (let n = 0; n < rounds; n++) {
    const mails = { count: REMOVED, octets: 4_096, sized: true }
    found.push(await filled(server, mails, () => measure(server, 'remove', REMOVED)))
  }
  const used = ms(median(found.map((one) => one.cpu)))
  return [
    [`DELE of ${REMOVED}, pipelined`, ms(median(found.map(({ each }) => each[0]!))), used],
    ['and then QUIT', ms(median(found.map(({ each }) => each[1]!))), ''],
  ]
}

export async function pop3(site: Site, cli: string, rounds: number): Promise<void> {
  const server = await startMailtap(cli, site.config, site.domain)
  const rows = [['one session', 'value', 'CPU']]
  for (const count of SIZES) rows.push(...(await logins(server, count)))
  rows.push(...(await lists(server)))
  rows.push(...(await retrievals(server, rounds)))
  rows.push(...(await largeOnes(server, rounds)))
  rows.push(...(await removals(server, rounds)))
  table(rows)
  await stop(server)
}
