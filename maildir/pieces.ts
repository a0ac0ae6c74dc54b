/** A large message that is being read, piece by piece, by a thread. */
import fs from 'node:fs'
import type { Pieces } from './maildir.js'
import { pieceMemory } from './memory-pool.js'
import type { Piece } from './piece-now.js'
import { readers } from './reader-threads.js'

/** Pieces that lie ready, or are on their way, before they are asked for: of all messages together. */
const MAX_AHEAD = 16

let ahead = 0

/** Whoever makes one closes it. */
export class PieceReader {
  readonly #fd: number
  readonly #pieces: Pieces
  /** The one that was given last. */
  #given: Piece | null = null
  /** The one behind it, if it is read already. Never rejects. */
  #next: Promise<Piece | Failed> | null = null

  /** @param fd read to where the message begins; closed with this reader */
  constructor(fd: number, pieces: Pieces) {
    this.#fd = fd
    this.#pieces = pieces
  }

  /** The last octet that the file had so far, `null` if none. */
  get last(): number | null {
    return this.#given?.last ?? null
  }

  /**
   * The next piece, `null` at the end. The first is read when it is asked for, and so is the
   * second: who stops early has nothing read in vain. From then on one is read while
   * the one before is being sent, unless many clients are slow to ask for theirs.
   * @throws the system's error
   */
  async next(): Promise<Buffer | null> {
    const before = this.#given
    // Who asks has passed it on. Of a client that is gone nobody knows what the system does with it.
    if (before !== null && this.#pieces === 'passed') reuse(before)
    const piece = await this.#following(before)
    if (piece === null) return null
    this.#given = piece
    if (before !== null && !piece.ended && ahead < MAX_AHEAD) this.#goAhead(piece)
    return Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset, piece.bytes.length)
  }

  async close(): Promise<void> {
    // The number of a file that is being read must not become another one's.
    if (this.#next !== null) await this.#readAhead().catch(() => {})
    fs.closeSync(this.#fd)
  }

  async #following(before: Piece | null): Promise<Piece | null> {
    if (before?.ended === true) return null
    return this.#next === null ? this.#read(before) : this.#readAhead()
  }

  #read(before: Piece | null): Promise<Piece> {
    const spare = pieceMemory.borrow()
    const ask = { fd: this.#fd, last: before?.last ?? null, spare }
    return readers.ask('piece', ask, spare === null ? [] : [spare])
  }

  #goAhead(before: Piece): void {
    ahead++
    this.#next = this.#read(before).catch((why: unknown) => new Failed(why))
  }

  async #readAhead(): Promise<Piece> {
    const piece = await this.#next!
    ahead--
    this.#next = null
    if (piece instanceof Failed) throw piece.why
    return piece
  }
}

function reuse({ bytes }: Piece): void {
  pieceMemory.giveBack(bytes.buffer as ArrayBuffer)
}

/** A piece could not be read, but nobody has asked for it yet. */
class Failed {
  readonly why: unknown
  constructor(why: unknown) {
    this.why = why
  }
}
