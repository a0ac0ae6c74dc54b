/** Finds the files of a Maildir while other programs may rename them. */
import type { BigIntStats } from 'node:fs'
import { NotAMaildir } from './errors.js'
import type { Places } from './maildir.js'
import { baseOf } from './names.js'
import { inspect, namesIn, type Path } from './system.js'

/** How often a Maildir is read that changes meanwhile; then all that was seen counts. */
const MAX_PASSES = 3
/** Coarser than any kernel's clock for file times: changes within it may share a time stamp. */
const TICK_NS = 20_000_000n
const MS_IN_NS = 1_000_000n
// oxlint-disable-next-line no-control-regex -- all of ASCII
const ASCII = /^[\u0000-\u007f]*$/

/** What a scan found. */
export interface Scan {
  readonly owner: number
  readonly places: Places
}

interface Stamps {
  readonly owner: number
  readonly fresh: bigint
  readonly seen: bigint
}

/**
 * Finds all messages. A file renamed while its directory is read may be
 * missed, so this looks again until nothing changed.
 * @throws NotAMaildir when it or `new` or `cur` is a symbolic link or no
 *   directory; the system's error, ENOENT if it is not there
 */
export async function scan(maildir: string): Promise<Scan> {
  const found = new Map<string, readonly string[]>()
  let owner = 0
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const started = BigInt(Date.now()) * MS_IN_NS
    const before = await stamps(maildir)
    owner = before.owner
    const places = await look(maildir)
    if (settled(before, await stamps(maildir), started)) return { owner, places }
    for (const [base, where] of places) found.set(base, where)
  }
  return { owner, places: found }
}

/**
 * Reads both directories once. `new` goes first: a message that moves to
 * `cur` meanwhile is seen twice rather than never.
 */
export async function look(maildir: string): Promise<Places> {
  const places = new Map<string, string[]>()
  for (const folder of ['new', 'cur']) {
    for (const name of await namesIn(`${maildir}/${folder}`)) {
      if (name.startsWith('.')) continue
      note(places, baseOf(name), `${folder}/${name}`)
    }
  }
  return places
}

/** The path of a place: as a string when it is ASCII, else byte for byte. */
export function pathOf(maildir: string, place: string): Path {
  if (ASCII.test(place)) return `${maildir}/${place}`
  return Buffer.concat([Buffer.from(`${maildir}/`), Buffer.from(place, 'latin1')])
}

function note(places: Map<string, string[]>, base: string, place: string): void {
  const others = places.get(base)
  // Later means `cur`, or a newer set of flags: better than what stood there.
  if (others === undefined) places.set(base, [place])
  else others.unshift(place)
}

async function stamps(maildir: string): Promise<Stamps> {
  const [whole, fresh, seen] = await Promise.all([
    directory(maildir),
    directory(`${maildir}/new`),
    directory(`${maildir}/cur`),
  ])
  return { owner: Number(whole.uid), fresh: fresh.mtimeNs, seen: seen.mtimeNs }
}

async function directory(path: string): Promise<BigIntStats> {
  const stats = await inspect(path)
  if (!stats.isDirectory()) throw new NotAMaildir(`${path} is not a directory`)
  return stats
}

/** Nothing changed, and not so lately that a change could hide behind an equal time stamp. */
function settled(before: Stamps, after: Stamps, started: bigint): boolean {
  if (before.fresh !== after.fresh || before.seen !== after.seen) return false
  return before.fresh < started - TICK_NS && before.seen < started - TICK_NS
}
