/**
 * Removes messages, for good or into the trash, and keeps account of it in
 * `maildirsize`. Waits for the disk: for a thread that has nothing else to do.
 */
import fs from 'node:fs'
import { amountOf } from './count-now.js'
import { type Failure, failureOf } from './failure.js'
import { type Identity, identityOf, sameFile } from './identity.js'
import { pathOf } from './scan.js'
import { SizeLine } from './size-file.js'
import { bury, unlinkIfThere } from './trash-now.js'
import { minus, NOTHING, type Usage } from './usage.js'

/** Messages of one Maildir. */
export interface Doomed {
  readonly path: string
  readonly messages: readonly DoomedMessage[]
  /** Into the trash, which is there; else they go for good. */
  readonly trash: boolean
}

/** All places of a message, and which file it is if those may hold another by now. */
interface DoomedMessage {
  readonly places: readonly string[]
  readonly identity: Identity | null
}

/** What became of a message: removed, not where it had been, another one there, or why it is still there. */
export type Fate = 'removed' | 'absent' | 'another' | Failure

/** @returns the fate of each, in their order */
export function unlinkAll(doomed: Doomed): readonly Fate[] {
  const line = new SizeLine(doomed.path)
  let change = NOTHING
  const fates = doomed.messages.map((message): Fate => {
    try {
      const { mine, others } = sorted(doomed.path, message)
      // The first is the one that counts; its size is not to be had afterwards.
      const amount = line.wanted ? sizeOf(doomed.path, mine[0]) : NOTHING
      if (!removeOne(doomed, mine)) return others ? 'another' : 'absent'
      change = minus(change, amount)
      return 'removed'
    } catch (error) {
      return failureOf(error)
    }
  })
  line.write(change)
  return fates
}

/**
 * The places that hold the message, and whether there are some that hold
 * another: nobody asked for that to be removed. What comes between this look
 * and the removal, microseconds later, cannot be told apart by anybody.
 */
function sorted(path: string, { places, identity }: DoomedMessage): Sorted {
  if (identity === null) return { mine: places, others: false }
  const found = places.flatMap((place) => {
    const stats = fs.lstatSync(pathOf(path, place), { throwIfNoEntry: false })
    return stats === undefined ? [] : [{ place, same: sameFile(identityOf(stats), identity) }]
  })
  const mine = found.filter(({ same }) => same).map(({ place }) => place)
  return { mine, others: mine.length < found.length }
}

interface Sorted {
  readonly mine: readonly string[]
  readonly others: boolean
}

/** @returns false if it is in none of these places any more */
function removeOne({ path, trash }: Doomed, places: readonly string[]): boolean {
  let found: boolean = false
  // All of them, also when the first is gone: a second place would bring it back.
  for (const place of places) {
    const there: boolean = trash && !found ? bury(path, place) : unlinkIfThere(pathOf(path, place))
    found ||= there
  }
  return found
}

function sizeOf(path: string, place: string | undefined): Usage {
  try {
    return place === undefined ? NOTHING : amountOf(path, place)
  } catch {
    // A count finds it.
    return NOTHING
  }
}
