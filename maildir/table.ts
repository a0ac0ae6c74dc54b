/**
 * The messages of a Maildir as columns in one piece of memory: it goes from
 * thread to thread and to the disk without being copied or parsed, and a
 * login to 100,000 messages makes no 100,000 strings.
 *
 * Layout, every number in the machine's byte order: count, spares, length of
 * the text, 0 (each 4 octets); then a column each of sizes (8 octets), ends of
 * the places in the text (4), lengths of bases (2), lengths of ids (1); then
 * the text: the places, a character per octet, each followed by the id of the
 * message if that is one that is kept. The columns go on for the spares:
 * further places of messages that were seen more than once.
 */
import { createHash } from 'node:crypto'
import type { Places } from './maildir.js'
import type { Uid } from './uids.js'

const HEAD = 16
/** Octets per message, and per spare, in the columns. */
const PER_ROW = 8 + 4 + 2 + 1
/** What stands before a name in a place: `new/` or `cur/`. */
const FOLDER = 4

/** In the column of ids, what is above this is the length of a kept id, which follows the place. */
const KEPT = 128

/** What becomes a row. */
export interface Row {
  readonly base: string
  /** Octets with CR LF line ends. */
  readonly size: number
}

/**
 * Puts messages together.
 * @param uids of the rows, in their order
 */
export function pack(rows: readonly Row[], uids: readonly Uid[], places: Places): Uint8Array {
  const spares = rows
    .filter(({ base }) => places.get(base)!.length > 1)
    .flatMap((row) => {
      return places
        .get(row.base)!
        .slice(1)
        .map((place) => ({ row, place }))
    })
  const texts = rows.map(({ base }, at) => `${places.get(base)![0]!}${keptOf(uids[at]!)}`)
  for (const { place } of spares) texts.push(place)
  const text = texts.join('')
  const bytes = new Uint8Array(HEAD + texts.length * PER_ROW + text.length)
  new Uint32Array(bytes.buffer, 0, 4).set([rows.length, spares.length, text.length, 0])
  const columns = new Columns(bytes)
  for (const [at, row] of rows.entries()) columns.set(at, row, texts[at]!, uids[at]!)
  for (const [n, { row, place }] of spares.entries()) columns.set(rows.length + n, row, place, 0)
  columns.text.write(text, 'latin1')
  return bytes
}

class Columns {
  readonly count: number
  readonly spares: number
  readonly sizes: Float64Array
  readonly ends: Uint32Array
  readonly bases: Uint16Array
  readonly uids: Uint8Array
  readonly text: Buffer

  /** @throws RangeError when the numbers in it do not fit its length */
  constructor({ buffer, byteOffset, length }: Uint8Array) {
    const [count, spares, text] = new Uint32Array(buffer, byteOffset, HEAD / 4)
    const all = count! + spares!
    if (length !== HEAD + all * PER_ROW + text!) throw new RangeError('a table of another length')
    let at = byteOffset + HEAD
    this.count = count!
    this.spares = spares!
    this.sizes = new Float64Array(buffer, at, all)
    this.ends = new Uint32Array(buffer, (at += all * 8), all)
    this.bases = new Uint16Array(buffer, (at += all * 4), all)
    this.uids = new Uint8Array(buffer, (at += all * 2), all)
    this.text = Buffer.from(buffer, at + all, text)
  }

  /** In order: an end follows from the one before it. */
  set(at: number, { base, size }: Row, text: string, uid: Uid): void {
    this.sizes[at] = size
    this.ends[at] = (at === 0 ? 0 : this.ends[at - 1]!) + text.length
    this.bases[at] = base.length
    this.uids[at] = typeof uid === 'number' ? uid : KEPT + uid.length
  }
}

/** Reads a table where it lies. Rows are numbered from 0, oldest first. */
export class Table {
  readonly #columns: Columns
  #spares: ReadonlyMap<string, readonly string[]> | null = null

  /**
   * @param bytes as `pack` made them, at an offset that 8 divides
   * @throws RangeError when they are not a table
   */
  constructor(bytes: Uint8Array) {
    this.#columns = new Columns(bytes)
  }

  /** Messages, spares not counted. */
  get count(): number {
    return this.#columns.count
  }

  size(at: number): number {
    return this.#columns.sizes[at]!
  }

  base(at: number): string {
    return this.#name(at, this.#columns.bases[at]!)
  }

  uid(at: number): string {
    const length = this.#columns.uids[at]!
    if (length === 0) return hash(this.base(at))
    if (length < KEPT) return this.#name(at, length)
    return this.#columns.text.toString('latin1', this.#endOfPlace(at), this.#columns.ends[at])
  }

  /** Where the file was seen, such as `cur/name`: the best place first. */
  places(at: number): readonly string[] {
    const place = this.#place(at)
    if (this.#columns.spares === 0) return [place]
    this.#spares ??= this.#findSpares()
    return [place, ...(this.#spares.get(this.base(at)) ?? [])]
  }

  /** All names that a folder held, flags included. */
  names(folder: 'new' | 'cur'): string[] {
    const { ends } = this.#columns
    const places = Array.from(ends, (_, at) => this.#place(at))
    return places.filter((place) => place.startsWith(folder)).map((place) => place.slice(FOLDER))
  }

  #findSpares(): Map<string, string[]> {
    const { count, spares } = this.#columns
    const found = new Map<string, string[]>()
    for (let at = count; at < count + spares; at++) {
      const base = this.base(at)
      found.set(base, [...(found.get(base) ?? []), this.#place(at)])
    }
    return found
  }

  #place(at: number): string {
    return this.#columns.text.toString('latin1', this.#start(at), this.#endOfPlace(at))
  }

  #endOfPlace(at: number): number {
    return this.#columns.ends[at]! - Math.max(0, this.#columns.uids[at]! - KEPT)
  }

  /** The first characters of the name. */
  #name(at: number, length: number): string {
    const from = this.#start(at) + FOLDER
    return this.#columns.text.toString('latin1', from, from + length)
  }

  #start(at: number): number {
    return at === 0 ? 0 : this.#columns.ends[at - 1]!
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex')
}

const keptOf = (uid: Uid): string => (typeof uid === 'string' ? uid : '')
