/**
 * What goes to a client next, put together so that it takes few system calls. The memory for
 * that goes from client to client: nearly always the system takes what is written at once.
 */
import type { Wire } from './wire.js'

/** Octets from which on it is time to write. */
const ENOUGH = 64 * 1024
/** Octets that are put together: enough, and most of what may make it so. */
const ROOM = ENOUGH + 32 * 1024

/** Memory that nobody uses right now. */
let spare: Buffer | null = null

export class Outbox {
  readonly #wire: Wire
  /** `null` while there is nothing in it. */
  #memory: Buffer | null = null
  #end = 0
  /** What had no room there; it follows. */
  #large: Buffer[] = []

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** True when it is time to flush, before anything else is done. */
  get full(): boolean {
    return this.#end >= ENOUGH || this.#large.length > 0
  }

  /** @param bytes as they are now; of those that make it full, as they are until `flush()` is done */
  put(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#memory ??= borrowed()
    const fits = this.#large.length === 0 && this.#end + bytes.length <= ROOM
    if (fits) this.#end += bytes.copy(this.#memory, this.#end)
    else this.#large.push(bytes)
  }

  /** Writes all. @returns `null` if that is done already */
  flush(): Promise<void> | null {
    const memory = this.#memory
    if (memory === null) return null
    const bytes = memory.subarray(0, this.#end)
    const large = this.#large
    this.#memory = null
    this.#end = 0
    if (large.length > 0) return this.#followed(bytes, memory, large)
    const writing = this.#wire.write(bytes)
    if (writing !== null) return this.#after(writing, memory)
    spare = memory
    return null
  }

  /** A client that reads no further is not to hold both: what stands before a large piece is short. */
  #followed(bytes: Buffer, memory: Buffer, large: readonly Buffer[]): Promise<void> | null {
    this.#large = []
    const before = bytes.length === 0 ? [] : [Buffer.from(bytes)]
    spare = memory
    return this.#wire.write(...before, ...large)
  }

  /** Of a client that is gone nobody knows what the system still does with it. */
  async #after(writing: Promise<void>, memory: Buffer): Promise<void> {
    await writing
    if (!this.#wire.gone) spare ??= memory
  }
}

function borrowed(): Buffer {
  const memory = spare ?? Buffer.allocUnsafeSlow(ROOM)
  spare = null
  return memory
}
