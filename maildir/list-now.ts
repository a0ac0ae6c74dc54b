/** Lists a Maildir, waiting for the disk: for a thread that has nothing else to do. */
import { dropIndex, type Index, indexPath, readIndex, writeIndex } from './index-file.js'
import type { Places } from './maildir.js'
import { type KeptUids, readKeptUids } from './kept-uids.js'
import { Memory } from './memory.js'
import { type Arrival, arrivalOf, uniquePart, wireSizeIn } from './names.js'
import { scan } from './scan.js'
import { Sizes } from './sizes.js'
import { fileStamp, same, type Stamp, type Stamps, stampsOf } from './stamps.js'
import { pack, type Row } from './table.js'
import { uidsOf } from './uids.js'

/** The oldest so many are listed; the others follow when those are gone. */
const MAX_LISTED = 1_000_000
/** A smaller Maildir is read as fast as its index would be. */
const MIN_INDEXED = 100

/** What an index must have in common with a Maildir to be up to date. */
const STAMPED = ['fresh', 'seen', 'kept'] as const

/** What a thread found. */
export interface Listed {
  readonly owner: number
  /** Bytes of a `Table`. */
  readonly table: Uint8Array
  /** How long that is true; `null` if nobody wants to know, or can tell. */
  readonly lasting: Lasting | null
}

/** What a listing was made from: as long as all of it stays the same, so does the listing. */
export interface Lasting {
  readonly stamps: Stamps
  /** Of the index, whether it is there or not: another process may have found a size wrong. */
  readonly index: Stamp
}

interface Read {
  readonly table: Uint8Array
  readonly stamps: Stamps | null
}

interface Candidate extends Arrival {
  readonly base: string
  readonly size: number | null
}

/** Messages that are not as they were listed. */
export interface Mistrust {
  readonly path: string
  readonly bases: readonly string[]
}

/**
 * Lists a Maildir. Files whose names carry `,W=`, or that the index knows, are
 * neither opened nor looked at; the others are read once, to know their size
 * on the wire. Names that can come back (identity.ts) are looked at, in case
 * they did. Nothing at all is read when the index is up to date.
 * @param lasting true if the listing is to be kept for others: then it is told
 *   how long it will be true, if that can be told
 * @throws NotAMaildir, or the system's error; ENOENT if it is not there
 */
export function listNow(path: string, lasting = false): Listed {
  const before = lasting ? fileStamp(indexPath(path)) : null
  const now = stampsOf(path)
  const index = readIndex(path, now)
  const known = index !== null && STAMPED.every((each) => same(index[each], now[each]))
  const read = known ? { table: index.bytes, stamps: now } : readAll(path, now, index, { lasting })
  const { table, stamps } = read
  return { owner: now.owner, table, lasting: lastingOf(path, stamps, before) }
}

/** Nothing lasts if the index was made anew just now: the next listing will be made from that. */
function lastingOf(path: string, stamps: Stamps | null, before: Stamp | null): Lasting | null {
  if (stamps === null || before === null) return null
  return same(before, fileStamp(indexPath(path))) ? { stamps, index: before } : null
}

/**
 * Reads messages for their sizes, whatever their names or the index say, and
 * keeps the result for all listings to come.
 * @throws NotAMaildir, or the system's error
 */
export function mistrustNow({ path, bases }: Mistrust): null {
  const now = stampsOf(path)
  const index = readIndex(path, now)
  // Should there be no room for a new one, none at all is better than the one that was wrong.
  dropIndex(path)
  readAll(path, now, index, { mistrusted: new Set(bases) })
  return null
}

interface ReadOptions {
  /** True: it is worth while to tell how long the table will be true. */
  readonly lasting?: boolean
  /** Bases of which neither the name nor the index is believed. */
  readonly mistrusted?: ReadonlySet<string>
}

function readAll(
  path: string,
  { owner, kept: before }: Stamps,
  index: Index | null,
  { lasting = false, mistrusted }: ReadOptions,
): Read {
  const kept = readKeptUids(path)
  const found = scan(path, index)
  const { places } = found
  const memory = new Memory(index?.table ?? null)
  const sizes = new Sizes({ path, owner, places }, memory, mistrusted)
  const messages = rowsOf(takenOverFirst(oldest(places), kept), sizes, kept)
  // Read through a directory that has meanwhile become a link to somebody else's?
  const { kept: after } = stampsOf(path)
  const modified = (base: string): number => sizes.modified(base)
  const { uids, tied } = uidsOf(messages, kept, { memory, modified })
  const table = pack(messages, uids, places)
  const whole = messages.length === places.size && same(before, after)
  // What it took reading to know, and what only time will have known.
  const precious = sizes.count > 0 || tied.size > 0
  const worthwhile = index !== null || messages.length >= MIN_INDEXED || precious
  const stamps = whole && (worthwhile || lasting) ? found.settled : null
  if (worthwhile) keep(path, stamps, precious, table)
  return { table, stamps }
}

function rowsOf(candidates: readonly Candidate[], sizes: Sizes, kept: KeptUids | null): Row[] {
  const rows: Row[] = []
  for (const each of candidates) {
    const { base } = each
    const keptId = kept !== null && (kept.has(base) || kept.has(uniquePart(base)))
    const row = sizes.row(each, keptId)
    if (row !== null) rows.push(row)
  }
  return rows
}

function oldest(places: Places): readonly Candidate[] {
  const candidates = Array.from(places.keys(), candidate)
  if (!inOrder(candidates)) candidates.sort(byArrival)
  candidates.splice(MAX_LISTED)
  return candidates
}

/** Their order is part of what clients know: new mail does not get in between. */
function takenOverFirst(
  candidates: readonly Candidate[],
  kept: KeptUids | null,
): readonly Candidate[] {
  if (kept === null) return candidates
  const ranks = new Map(Array.from(kept.keys(), (key, rank) => [key, rank]))
  const rankOf = ({ base }: Candidate): number =>
    ranks.get(base) ?? ranks.get(uniquePart(base)) ?? kept.size
  return candidates.toSorted((a, b) => rankOf(a) - rankOf(b))
}

function candidate(base: string): Candidate {
  return { base, size: wireSizeIn(base), ...arrivalOf(base) }
}

function inOrder(candidates: readonly Candidate[]): boolean {
  return candidates.every((one, at) => at === 0 || byArrival(candidates[at - 1]!, one) < 0)
}

function byArrival(a: Candidate, b: Candidate): number {
  // Subtraction would make NaN of two that tell no time.
  if (a.seconds !== b.seconds) return a.seconds < b.seconds ? -1 : 1
  const ours = a.microseconds - b.microseconds || a.count - b.count
  if (ours !== 0) return ours
  return a.base < b.base ? -1 : 1
}

/** What cannot be believed of the folders next time is kept only for what nobody can see in them. */
function keep(path: string, settled: Stamps | null, precious: boolean, table: Uint8Array): void {
  if (settled !== null) writeIndex(path, settled, table)
  else if (precious) writeIndex(path, doubted(stampsOf(path)), table)
}

/** The directories as they are, at no time. */
function doubted({ owner, fresh, seen, kept }: Stamps): Stamps {
  const never = ({ inode }: Stamp): Stamp => ({ inode, modified: 0n, changed: 0n })
  return { owner, fresh: never(fresh), seen: never(seen), kept }
}
