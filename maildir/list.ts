/** Lists a Maildir: every message with its size and its id, oldest first. */
import type { Identity } from './identity.js'
import { keptListings } from './kept-listings.js'
import type { Entry, Listing } from './maildir.js'
import { settled } from './mistrust.js'
import { ReadAhead } from './read-ahead.js'
import { readers } from './reader-threads.js'
import { Table } from './table.js'

/**
 * Lists a Maildir. Files whose names carry `,W=`, or that the index knows, are
 * neither opened nor looked at; the others are read once, to know their size
 * on the wire. Names that can come back (identity.ts) are looked at each time.
 * @throws NotAMaildir, or the system's error; ENOENT if it is not there
 */
export async function list(path: string): Promise<Listing> {
  await settled(path)
  const { owner, entries } = keptListings.get(path) ?? (await listAnew(path))
  return { path, owner, entries, moved: null, ahead: new ReadAhead(path, owner, entries) }
}

async function listAnew(path: string): Promise<Pick<Listing, 'owner' | 'entries'>> {
  const again = keptListings.ask(path)
  const { owner, table: bytes, lasting } = await readers.ask('list', { path, lasting: again })
  const table = new Table(bytes)
  const entries = Array.from({ length: table.count }, (_, at) => new TableEntry(table, at))
  if (lasting !== null) keptListings.put(path, { owner, entries, lasting }, bytes.length)
  return { owner, entries }
}

/** A row of the table: what nobody asks for is never made. */
class TableEntry implements Entry {
  readonly at: number
  readonly size: number
  readonly #table: Table

  constructor(table: Table, at: number) {
    this.#table = table
    this.at = at
    this.size = table.size(at)
  }

  get base(): string {
    return this.#table.base(this.at)
  }

  get uid(): string {
    return this.#table.uid(this.at)
  }

  get identity(): Identity | null {
    return this.#table.remark(this.at)
  }

  get places(): readonly string[] {
    return this.#table.places(this.at)
  }
}
