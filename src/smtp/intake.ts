/**
 * Keeps a message while it arrives: in memory if it is not large and there is
 * room for it, else in a temporary file.
 */
import { fromBuffer, type Message } from '../mail/message.js'
import { Blocks } from './blocks.js'
import { incoming, type MemoryPool, MemoryShare } from './memory-share.js'
import { SpillFile } from './spill-file.js'

/** Octets of a message that may always stay in memory … */
const SMALL = 65_536
/** … and those that may while all messages together leave room for them. */
const MAX_IN_MEMORY = 1_048_576
/** A client that sends byte by byte must not make as many objects. */
const MAX_PIECES = 128
/** Of pieces that were not put into `room`, as many octets gather before they are written. */
const MAX_PENDING = 131_072

export class Intake {
  readonly #directory: string
  readonly #share: MemoryShare
  /** Pieces that were put together from many. */
  #merged: Buffer[] = []
  #pieces: Buffer[] = []
  #pending = 0
  readonly #blocks = new Blocks()
  #first: number | undefined
  #size = 0
  #lines = 0
  #file: SpillFile | null = null
  /** The last write, under way or done; `null` while everything is in memory. */
  #writing: Promise<void> | null = null

  /**
   * @param directory for temporary files; must exist
   * @param pool of memory, for what is not small
   */
  constructor(directory: string, pool: MemoryPool = incoming) {
    this.#directory = directory
    this.#share = new MemoryShare(pool)
  }

  /** Octets on the wire so far: every LF came as CR LF. */
  get wireSize(): number {
    return this.#size + this.#lines
  }

  /** `undefined` while there is none. */
  get firstOctet(): number | undefined {
    return this.#first
  }

  /** Memory for content that is to be added next: so many octets at most. */
  room(octets: number): Buffer {
    return this.#writing === null ? Buffer.allocUnsafe(octets) : this.#blocks.room(octets)
  }

  /**
   * Adds content with LF line ends. A promise only if a disk must be waited for.
   * @throws the system's error, which may be that of an earlier write
   */
  add(content: Buffer, lines: number): void | Promise<void> {
    if (content.length === 0) return
    this.#merge()
    this.#blocks.use(content)
    this.#first ??= content[0]
    this.#pieces.push(content)
    this.#pending += content.length
    this.#size += content.length
    this.#lines += lines
    if (!this.#hasRoom()) return this.#spill()
  }

  /** The whole message, the header lines in front. It lives until `discard()`. */
  async finish(header: Buffer, headerLines: number): Promise<Message> {
    const lines = headerLines + this.#lines
    if (this.#writing === null) return this.#inMemory(header, lines)
    await this.#spill()
    await this.#writing
    const file = this.#file!
    const size = header.length + file.size
    const filed = { head: header, use: <T>(work: (fd: number) => Promise<T>) => file.use(work) }
    return { size, lines, open: () => file.read(header), filed }
  }

  /** Gives up memory and file. */
  async discard(): Promise<void> {
    this.#take()
    const writing = this.#writing
    this.#writing = null
    // Whoever waits for that write is told what became of it.
    await writing?.catch(() => {})
    const file = this.#file
    this.#file = null
    await file?.close()
  }

  #hasRoom(): boolean {
    if (this.#writing !== null) return this.#pending <= MAX_PENDING && !this.#blocks.full
    if (this.#pending <= SMALL) return true
    return this.#pending <= MAX_IN_MEMORY && this.#share.grow(this.#pending)
  }

  /** Pieces of pieces, so that no octet is copied more often than a few times. */
  #merge(): void {
    if (this.#pieces.length < MAX_PIECES) return
    if (this.#merged.length >= MAX_PIECES) this.#merged = [Buffer.concat(this.#merged)]
    this.#merged.push(Buffer.concat(this.#pieces))
    this.#pieces = []
  }

  #take(): Buffer[] {
    const pieces = [...this.#merged, ...this.#pieces]
    this.#merged = []
    this.#pieces = []
    this.#pending = 0
    this.#share.release()
    return pieces
  }

  #inMemory(header: Buffer, lines: number): Message {
    const pieces = [header, ...this.#merged, ...this.#pieces]
    const size = header.length + this.#size
    if (size <= SMALL) return fromBuffer(Buffer.concat(pieces, size), lines)
    return { size, lines, open: () => pieces }
  }

  /** Begins to write what is there. @returns the write before it: more than one at a time would be memory without end */
  #spill(): Promise<void> {
    const before = this.#writing ?? Promise.resolve()
    const pieces = this.#take()
    this.#blocks.next()
    this.#writing = before.then(() => this.#write(pieces))
    // It is told by the next step, which may be a while away.
    this.#writing.catch(() => {})
    return before
  }

  async #write(pieces: readonly Buffer[]): Promise<void> {
    this.#file ??= await SpillFile.open(this.#directory)
    await this.#file.append(pieces)
  }
}
