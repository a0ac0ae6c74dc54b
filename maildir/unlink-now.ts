/**
 * Removes messages, for good or into the trash, and keeps account of it in
 * `maildirsize`. Waits for the disk: for a thread that has nothing else to do.
 */
import { amountOf } from './count-now.js'
import { type Failure, failureOf } from './failure.js'
import { pathOf } from './scan.js'
import { SizeLine } from './size-file.js'
import { bury, unlinkIfThere } from './trash-now.js'
import { minus, NOTHING, type Usage } from './usage.js'

/** Messages of one Maildir: all places of each. */
export interface Doomed {
  readonly path: string
  readonly places: readonly (readonly string[])[]
  /** Into the trash, which is there; else they go for good. */
  readonly trash: boolean
}

/** What became of a message: removed, not where it had been, or why it is still there. */
export type Fate = 'removed' | 'absent' | Failure

/** @returns the fate of each, in their order */
export function unlinkAll(doomed: Doomed): readonly Fate[] {
  const { path, places } = doomed
  const line = new SizeLine(path)
  let change = NOTHING
  const fates = places.map((each) => {
    // The first is the one that counts; its size is not to be had afterwards.
    const amount = line.wanted ? sizeOf(path, each[0]) : NOTHING
    const fate = removeOne(doomed, each)
    if (fate === 'removed') change = minus(change, amount)
    return fate
  })
  line.write(change)
  return fates
}

function removeOne({ path, trash }: Doomed, places: readonly string[]): Fate {
  try {
    let found: boolean = false
    // All of them, also when the first is gone: a second place would bring it back.
    for (const place of places) {
      const there: boolean =
        trash && !found ? bury(path, place) : unlinkIfThere(pathOf(path, place))
      found ||= there
    }
    return found ? 'removed' : 'absent'
  } catch (error) {
    return failureOf(error)
  }
}

function sizeOf(path: string, place: string | undefined): Usage {
  try {
    return place === undefined ? NOTHING : amountOf(path, place)
  } catch {
    // A count finds it.
    return NOTHING
  }
}
