/** Things with a moment each, the earliest at hand: a binary heap whose members know their places, so that any can be taken out. */

export interface Dated {
  /** Changed only while it is in no heap, or followed by `moved`. */
  due: number
  /** The heap's: where it stands; -1 = in none. */
  place: number
}

export class DueHeap<T extends Dated> {
  readonly #all: T[] = []

  get first(): T | null {
    return this.#all[0] ?? null
  }

  get size(): number {
    return this.#all.length
  }

  add(one: T): void {
    this.#put(one, this.#all.length)
    this.#up(one)
  }

  /** Takes it out; one that is not in does no harm. */
  remove(one: T): void {
    const { place } = one
    if (place === -1) return
    const last = this.#all.pop()!
    one.place = -1
    if (last === one) return
    this.#put(last, place)
    this.moved(last)
  }

  /** Its moment has changed. */
  moved(one: T): void {
    this.#up(one)
    this.#down(one)
  }

  /** The earliest that is wanted. What is behind one that is wanted is not looked at. */
  earliest(wanted: (one: T) => boolean): T | null {
    let best: T | null = null
    const open = this.#all.length > 0 ? [0] : []
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const one = this.#all[at]
      if (one === undefined || (best !== null && one.due >= best.due)) continue
      if (wanted(one)) best = one
      else open.push(2 * at + 1, 2 * at + 2)
    }
    return best
  }

  #put(one: T, place: number): void {
    this.#all[place] = one
    one.place = place
  }

  #up(one: T): void {
    while (one.place > 0) {
      const place = (one.place - 1) >> 1
      const above = this.#all[place]!
      if (above.due <= one.due) return
      this.#put(above, one.place)
      this.#put(one, place)
    }
  }

  #down(one: T): void {
    for (;;) {
      const left = 2 * one.place + 1
      const below = this.#earlier(left, left + 1)
      if (below === null || below.due >= one.due) return
      const { place } = below
      this.#put(below, one.place)
      this.#put(one, place)
    }
  }

  #earlier(left: number, right: number): T | null {
    const one = this.#all[left] ?? null
    const other = this.#all[right] ?? null
    return one !== null && other !== null && other.due < one.due ? other : one
  }
}
