/**
 * What waits, by lane and by moment. Both the lanes and what waits in one are
 * heaps: a lane that is full is one thing to step over, however much waits in it.
 */
import { type Dated, DueHeap } from './due-heap.js'
import type { Room } from './spool.js'

/** A place in a lane: some recipients of one message. */
export interface Slot<Owner> extends Dated {
  readonly owner: Owner
  readonly lane: Lane<Owner>
  /** The owner's next place. */
  readonly other: Slot<Owner> | null
}

interface Lane<Owner> extends Dated {
  readonly name: string
  readonly slots: DueHeap<Slot<Owner>>
}

export class LaneIndex<Owner> {
  readonly #byName = new Map<string, Lane<Owner>>()
  readonly #lanes = new DueHeap<Lane<Owner>>()

  /**
   * @param due on whatever clock all of them are
   * @param other another place of the same owner
   */
  add(name: string, owner: Owner, due: number, other: Slot<Owner> | null): Slot<Owner> {
    const lane = this.#byName.get(name) ?? this.#open(name)
    const slot = { owner, lane, other, due, place: -1 }
    lane.slots.add(slot)
    this.#arrange(lane)
    return slot
  }

  /** Takes a place away; one that was taken away before does no harm. */
  remove(slot: Slot<Owner>): void {
    if (slot.place === -1) return
    slot.lane.slots.remove(slot)
    this.#arrange(slot.lane)
  }

  /**
   * Takes away what is due, the longest due first.
   * @param used how much of each lane's room is taken; counted on
   */
  take(now: number, max: number, room: Room, used: Map<string, number>): Slot<Owner>[] {
    const taken: Slot<Owner>[] = []
    const full: Lane<Owner>[] = []
    for (let lane = this.#lanes.first; lane !== null; lane = this.#lanes.first) {
      if (taken.length >= max || lane.due > now) break
      const before = used.get(lane.name) ?? 0
      if (before >= room(lane.name)) {
        full.push(lane)
        this.#lanes.remove(lane)
        continue
      }
      used.set(lane.name, before + 1)
      const slot = lane.slots.first!
      taken.push(slot)
      this.remove(slot)
    }
    for (const lane of full) this.#lanes.add(lane)
    return taken
  }

  /** When something is due in a lane with room; `null` = nothing waits there. */
  nextDue(room: Room): number | null {
    return this.#lanes.earliest(({ name }) => room(name) > 0)?.due ?? null
  }

  #open(name: string): Lane<Owner> {
    const lane = { name, slots: new DueHeap<Slot<Owner>>(), due: 0, place: -1 }
    this.#byName.set(name, lane)
    return lane
  }

  /** Its first one may be another now. A lane in which nothing waits is forgotten. */
  #arrange(lane: Lane<Owner>): void {
    const { first } = lane.slots
    if (first === null) {
      this.#lanes.remove(lane)
      this.#byName.delete(lane.name)
      return
    }
    lane.due = first.due
    if (lane.place === -1) this.#lanes.add(lane)
    else this.#lanes.moved(lane)
  }
}
