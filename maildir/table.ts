/**
 * The messages of a Maildir as columns in one piece of memory: it goes from
 * thread to thread and to the disk without being copied or parsed, and a
 * login to 100,000 messages makes no 100,000 strings.
 *
 * Layout, every number in the machine's byte order: count, spares, length of
 * the text, remarks (each 4 octets); then a column of sizes (8 octets); then
 * the remarks on files (identity.ts), by rows: row, inode, time, octets, digest
 * (8 each); then a column each of ends of the places in the text (4), lengths
 * of bases (2), lengths of ids (1); then the text: the places, a character per
 * octet, each followed by the id of the message if that is neither part of the
 * name nor a hash of its unique part. The columns go on for the spares: further
 * places of messages that were seen more than once.
 */
import type { Remark } from './identity.js'
import type { Places } from './maildir.js'
import { uniquePart } from './names.js'
import { hashOf, type Uid } from './uids.js'

const HEAD = 16
/** Numbers, and octets, per remark. */
const REMARK = 5
const PER_REMARK = REMARK * 8
/** Octets per message, and per spare, in the columns. */
const PER_ROW = 8 + 4 + 2 + 1
/** What stands before a name in a place: `new/` or `cur/`. */
const FOLDER = 4

/** In the column of ids, what is above this is the length of an id that follows the place. */
const WRITTEN = 128
/** Characters of a hash. */
const HASH = 64

/** What becomes a row. */
export interface Row {
  readonly base: string
  /** Octets with CR LF line ends. */
  readonly size: number
  /** On its file, where the name does not tell enough. */
  readonly remark: Remark | null
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
  const texts = rows.map(({ base }, at) => `${places.get(base)![0]!}${writtenOf(uids[at]!)}`)
  for (const { place } of spares) texts.push(place)
  const text = texts.join('')
  const remarks = remarksOn(rows)
  const numbers = texts.length * PER_ROW + remarks.length * 8
  const bytes = new Uint8Array(HEAD + numbers + text.length)
  const head = [rows.length, spares.length, text.length, remarks.length / REMARK]
  new Uint32Array(bytes.buffer, 0, 4).set(head)
  const columns = new Columns(bytes)
  columns.remarks.set(remarks)
  for (const [at, row] of rows.entries()) columns.set(at, row, texts[at]!, uids[at]!)
  for (const [n, { row, place }] of spares.entries()) columns.set(rows.length + n, row, place, 0)
  columns.text.write(text, 'latin1')
  return bytes
}

function remarksOn(rows: readonly Row[]): readonly number[] {
  const remarks: number[] = []
  for (const [at, { remark }] of rows.entries()) {
    if (remark === null) continue
    remarks.push(at, remark.inode, remark.modified, remark.octets, remark.digest)
  }
  return remarks
}

class Columns {
  readonly count: number
  readonly spares: number
  readonly sizes: Float64Array
  readonly remarks: Float64Array
  readonly ends: Uint32Array
  readonly bases: Uint16Array
  readonly uids: Uint8Array
  readonly text: Buffer

  /** @throws RangeError when the numbers in it do not fit its length */
  constructor({ buffer, byteOffset, length }: Uint8Array) {
    const [count, spares, text, remarks] = new Uint32Array(buffer, byteOffset, HEAD / 4)
    const all = count! + spares!
    const numbers = all * PER_ROW + remarks! * PER_REMARK
    if (length !== HEAD + numbers + text!) throw new RangeError('a table of another length')
    let at = byteOffset + HEAD
    this.count = count!
    this.spares = spares!
    this.sizes = new Float64Array(buffer, at, all)
    this.remarks = new Float64Array(buffer, (at += all * 8), remarks! * REMARK)
    this.ends = new Uint32Array(buffer, (at += remarks! * PER_REMARK), all)
    this.bases = new Uint16Array(buffer, (at += all * 4), all)
    this.uids = new Uint8Array(buffer, (at += all * 2), all)
    this.text = Buffer.from(buffer, at + all, text)
  }

  /** In order: an end follows from the one before it. */
  set(at: number, { base, size }: Row, text: string, uid: Uid): void {
    this.sizes[at] = size
    this.ends[at] = (at === 0 ? 0 : this.ends[at - 1]!) + text.length
    this.bases[at] = base.length
    this.uids[at] = typeof uid === 'number' ? uid : WRITTEN + uid.length
  }
}

/** Reads a table where it lies. Rows are numbered from 0, oldest first. */
export class Table {
  readonly #columns: Columns
  #spares: ReadonlyMap<string, readonly string[]> | null = null
  #remarks: ReadonlyMap<number, number> | null = null

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
    if (length === 0) return hashOf(uniquePart(this.base(at)))
    if (length < WRITTEN) return this.#name(at, length)
    return this.#columns.text.toString('latin1', this.#endOfPlace(at), this.#columns.ends[at])
  }

  /** On the file, if the name alone does not tell enough. */
  remark(at: number): Remark | null {
    const { remarks } = this.#columns
    if (remarks.length === 0) return null
    this.#remarks ??= new Map(this.remarked.map((row, n) => [row, n]))
    const n = this.#remarks.get(at)
    if (n === undefined) return null
    const [, inode, modified, octets, digest] = remarks.subarray(n * REMARK, (n + 1) * REMARK)
    return { inode: inode!, modified: modified!, octets: octets!, digest: digest! }
  }

  /** Rows with a remark. */
  get remarked(): readonly number[] {
    const { remarks } = this.#columns
    return Array.from({ length: remarks.length / REMARK }, (_, n) => remarks[n * REMARK]!)
  }

  /** Rows whose ids are written out and as long as a hash. */
  get hashed(): readonly number[] {
    const rows: number[] = []
    const ids = this.#columns.uids
    for (let at = ids.indexOf(WRITTEN + HASH); at !== -1; at = ids.indexOf(WRITTEN + HASH, at + 1))
      rows.push(at)
    return rows
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
    return this.#columns.ends[at]! - Math.max(0, this.#columns.uids[at]! - WRITTEN)
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

const writtenOf = (uid: Uid): string => (typeof uid === 'string' ? uid : '')
