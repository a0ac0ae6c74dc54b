/**
 * LF becomes CR LF for the wire; a CR LF that is there already, and a lone CR,
 * stay as they are. A last line without an end gets one: POP3 and SMTP know no
 * other lines (RFC 1939 section 3), and the size has to say so beforehand.
 */
import { type Kernel, makeKernel } from './crlf-kernel.js'

const CR = 13
const LF = 10
const LINE_END = Buffer.from('\r\n')
const NOTHING = Buffer.alloc(0)

/** Of this thread: made when it is needed, as most threads never do. */
let kernel: Kernel | null = null

/** Where `CrlfWriter.next` finds what to convert: room for `CHUNK` octets. */
export function crlfInput(): Buffer {
  return (kernel ??= makeKernel()).input
}

/** Converts chunk by chunk: remembers whether the last one ended in a CR. */
export class CrlfWriter {
  #last: number | null

  /** @param last octet before what is converted first; `null` at the beginning */
  constructor(last: number | null = null) {
    this.#last = last
  }

  /** The last octet that was converted, `null` if none was. */
  get last(): number | null {
    return this.#last
  }

  /** Converts so many octets of `crlfInput()`. @returns memory that the next conversion uses again */
  next(octets: number): Buffer {
    const input = crlfInput()
    const wire = kernel!.expand(octets, this.#last ?? 0)
    if (octets > 0) this.#last = input[octets - 1]!
    return wire
  }

  /**
   * What completes the last line, if it needs that.
   * @param left octets that are missing from the listed size: a name may tell a
   *   size that does not count the missing end, and that size was promised
   */
  end(left: number): Buffer {
    const unfinished = this.#last !== null && this.#last !== LF
    return unfinished && left === LINE_END.length ? LINE_END : NOTHING
  }
}

/**
 * Puts a whole message, the first so many octets of `crlfInput()`, where there is room for it.
 * @param into its place: as long as the message was listed
 * @returns false if it is not as long as that on the wire; nothing is written then
 */
export function putWire(octets: number, into: Buffer): boolean {
  const writer = new CrlfWriter()
  const wire = writer.next(octets)
  const end = writer.end(into.length - wire.length)
  if (wire.length + end.length !== into.length) return false
  into.set(wire)
  into.set(end, wire.length)
  return true
}

/**
 * A whole message on the wire.
 * @param bytes `CHUNK` at most
 * @param size as it was listed
 * @returns `null` if it is not as long as that
 */
export function wireForm(bytes: Buffer, size: number): Buffer | null {
  bytes.copy(crlfInput())
  const wire = Buffer.allocUnsafe(size)
  return putWire(bytes.length, wire) ? wire : null
}

/** Counts what the conversion would give. */
export class CrlfCounter {
  #last = LF
  #octets = 0

  get octets(): number {
    return this.#octets + (this.#last === LF ? 0 : LINE_END.length)
  }

  add(chunk: Buffer): void {
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) {
      const afterCr = (at === 0 ? this.#last : chunk[at - 1]) === CR
      if (!afterCr) this.#octets++
    }
    this.#octets += chunk.length
    this.#last = chunk.at(-1) ?? this.#last
  }
}
