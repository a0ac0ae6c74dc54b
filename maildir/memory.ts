/** What an index remembers of messages, for a listing that has to look at their folders again. */
import type { Remark } from './identity.js'
import { wireSizeIn } from './names.js'
import type { Table } from './table.js'

/** A file that was looked at. */
export interface Remembered {
  /** Octets with CR LF line ends. */
  readonly size: number
  readonly remark: Remark
}

export class Memory {
  readonly #table: Table | null
  #sizes: ReadonlyMap<string, number> | null = null
  #remarks: ReadonlyMap<string, Remembered> | null = null
  #hashes: ReadonlyMap<string, string> | null = null
  #bases: ReadonlySet<string> | null = null

  /** @param table `null`: nothing is remembered */
  constructor(table: Table | null) {
    this.#table = table
  }

  /** Of a message whose name neither tells the size nor can come back. */
  size(base: string): number | undefined {
    this.#sizes ??= this.#findSizes()
    return this.#sizes.get(base)
  }

  /** Of a message whose name can come back, or lied: true only as long as it is the same file. */
  remark(base: string): Remembered | undefined {
    this.#remarks ??= this.#findRemarks()
    return this.#remarks.get(base)
  }

  /** The id, if it was a hash of another text than usual. */
  hash(base: string): string | undefined {
    this.#hashes ??= this.#findHashes()
    return this.#hashes.get(base)
  }

  /** Whether there was such a message. Only asked when two could be the same one. */
  knew(base: string): boolean {
    this.#bases ??= new Set(this.#all())
    return this.#bases.has(base)
  }

  #all(): string[] {
    return Array.from({ length: this.#table?.count ?? 0 }, (_, at) => this.#table!.base(at))
  }

  #findSizes(): Map<string, number> {
    const sizes = new Map<string, number>()
    for (const [at, base] of this.#all().entries()) {
      const told = wireSizeIn(base) !== null || this.#table!.remark(at) !== null
      if (!told) sizes.set(base, this.#table!.size(at))
    }
    return sizes
  }

  #findRemarks(): Map<string, Remembered> {
    const table = this.#table
    if (table === null) return new Map()
    const found = Array.from(table.remarked, (at) => {
      return [table.base(at), { size: table.size(at), remark: table.remark(at)! }] as const
    })
    return new Map(found)
  }

  #findHashes(): Map<string, string> {
    const table = this.#table
    return new Map(table?.hashed.map((at) => [table.base(at), table.uid(at)] as const))
  }
}
