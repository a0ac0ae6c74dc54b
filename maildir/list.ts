/** Lists a Maildir: every message with its size and its id, oldest first. */
import type { Entry, Listing, Places } from './maildir.js'
import { type Arrival, arrivalOf, wireSizeIn } from './names.js'
import { scan } from './scan.js'
import { sizesOnDisk } from './sizes.js'
import { uidsOf } from './uids.js'

/** The oldest so many are listed; the others follow when those are gone. */
const MAX_LISTED = 1_000_000

interface Candidate extends Arrival {
  readonly base: string
  readonly size: number | null
}

/**
 * Lists a Maildir. Files whose names carry `,W=` are neither opened nor
 * looked at; the others are read once, to know their size on the wire.
 * @throws NotAMaildir, or the system's error; ENOENT if it is not there
 */
export async function list(path: string): Promise<Listing> {
  const { owner, places } = await scan(path)
  const candidates = Array.from(places.keys(), candidate).toSorted(byArrival).slice(0, MAX_LISTED)
  const sizes = await missingSizes({ path, owner, places }, candidates)
  return { path, owner, places, entries: entriesOf(candidates, sizes) }
}

function candidate(base: string): Candidate {
  return { base, size: wireSizeIn(base), ...arrivalOf(base) }
}

function byArrival(a: Candidate, b: Candidate): number {
  // Subtraction would make NaN of two that tell no time.
  if (a.seconds !== b.seconds) return a.seconds < b.seconds ? -1 : 1
  const ours = a.microseconds - b.microseconds || a.count - b.count
  if (ours !== 0) return ours
  return a.base < b.base ? -1 : 1
}

/** Sizes of those whose names do not tell; what is no message is not among them. */
function missingSizes(
  maildir: { path: string; owner: number; places: Places },
  candidates: readonly Candidate[],
): Promise<ReadonlyMap<string, number>> {
  const unsized = candidates.filter(({ size }) => size === null).map(({ base }) => base)
  return sizesOnDisk(maildir, unsized)
}

function entriesOf(
  candidates: readonly Candidate[],
  sizes: ReadonlyMap<string, number>,
): readonly Entry[] {
  const messages = candidates.flatMap(({ base, size }) => {
    const octets = size ?? sizes.get(base)
    return octets === undefined ? [] : [{ base, size: octets }]
  })
  const uids = uidsOf(messages.map(({ base }) => base))
  return messages.map(({ base, size }, at) => ({ base, size, uid: uids[at]! }))
}
