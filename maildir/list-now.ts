/** Lists a Maildir, waiting for the disk: for a thread that has nothing else to do. */
import { type Index, readIndex, writeIndex } from './index-file.js'
import type { Places } from './maildir.js'
import { type KeptUids, readKeptUids } from './kept-uids.js'
import { type Arrival, arrivalOf, uniquePart, wireSizeIn } from './names.js'
import { scan } from './scan.js'
import { Sizes } from './sizes.js'
import { same, type Stamp, type Stamps, stampsOf } from './stamps.js'
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
}

interface Candidate extends Arrival {
  readonly base: string
  readonly size: number | null
}

/**
 * Lists a Maildir. Files whose names carry `,W=`, or that the index knows, are
 * neither opened nor looked at; the others are read once, to know their size
 * on the wire. Nothing at all is read when the index is up to date.
 * @throws NotAMaildir, or the system's error; ENOENT if it is not there
 */
export function listNow(path: string): Listed {
  const now = stampsOf(path)
  const index = readIndex(path, now)
  const known = index !== null && STAMPED.every((each) => same(index[each], now[each]))
  return { owner: now.owner, table: known ? index.bytes : read(path, now, index) }
}

function read(path: string, { owner, kept: before }: Stamps, index: Index | null): Uint8Array {
  const keptUids = readKeptUids(path)
  const found = scan(path, index)
  const candidates = takenOverFirst(oldest(found.places), keptUids)
  const sizes = new Sizes({ path, owner, places: found.places }, index)
  const messages: Row[] = []
  for (const { base, size } of candidates) {
    const octets = size ?? sizes.of(base)
    if (octets !== null) messages.push({ base, size: octets })
  }
  // Read through a directory that has meanwhile become a link to somebody else's?
  const { kept: after } = stampsOf(path)
  const ids = uidsOf(
    messages.map(({ base }) => base),
    keptUids,
  )
  const table = pack(messages, ids, found.places)
  const whole = messages.length === found.places.size && same(before, after)
  const worthwhile = index !== null || messages.length >= MIN_INDEXED || sizes.count > 0
  if (worthwhile) keep(path, whole ? found.settled : null, sizes.count > 0, table)
  return table
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

/** What cannot be believed next time is kept only for sizes that it took reading to know. */
function keep(path: string, settled: Stamps | null, sized: boolean, table: Uint8Array): void {
  if (settled !== null) writeIndex(path, settled, table)
  else if (sized) writeIndex(path, doubted(stampsOf(path)), table)
}

/** The directories as they are, at no time. */
function doubted({ owner, fresh, seen, kept }: Stamps): Stamps {
  const never = ({ inode }: Stamp): Stamp => ({ inode, modified: 0n, changed: 0n })
  return { owner, fresh: never(fresh), seen: never(seen), kept }
}
