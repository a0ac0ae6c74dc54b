/**
 * A message as programs pipe it into sendmail, made fit for the server: whatever the line ends were
 * they become LF, and whatever the first lines were there is an empty line before the body. Cron
 * mails what a program printed, so nothing is refused for what it looks like.
 */
import { Exit, Failure } from './exit.js'

const LF = 10
const CR = 13
const DOT = 46
const NUL = 0
/** The line that mbox files put in front of a message; `mail -f` and old programs pass it on. */
const MBOX_LINE = Buffer.from('From ')

/**
 * Reads until the end, or until a line that is a dot.
 * @param limit octets
 * @throws Failure badData when there are more
 */
export async function readInput(
  input: AsyncIterable<Buffer>,
  { dotEnds, limit }: { readonly dotEnds: boolean; readonly limit: number },
): Promise<Buffer> {
  const cleaner = new Cleaner(dotEnds)
  const pieces: Buffer[] = []
  let octets = 0
  for await (const chunk of input) {
    const piece = cleaner.feed(chunk)
    octets += piece.length
    if (octets > limit) throw tooLarge(limit)
    pieces.push(piece)
    if (cleaner.done) break
  }
  pieces.push(cleaner.end())
  return withoutMboxLine(Buffer.concat(pieces))
}

export const tooLarge = (limit: number): Failure =>
  new Failure(Exit.badData, `the message is larger than the limit of ${limit} octets`)

/** Turns CR LF, and a CR that stands alone (a progress bar), into LF; drops NUL; finds the dot. */
class Cleaner {
  readonly #dotEnds: boolean
  /** A CR, or some, that may become a line end. */
  #cr = false
  /** Octets of the line so far; its dot is held back if it is the only one. */
  #length = 0
  #dot = false
  #out: Buffer = Buffer.alloc(0)
  #used = 0
  done = false

  constructor(dotEnds: boolean) {
    this.#dotEnds = dotEnds
  }

  feed(chunk: Buffer): Buffer {
    // A dot and a line end may be held back, and each byte may bring them with it.
    this.#out = Buffer.allocUnsafe(chunk.length * 2 + 2)
    this.#used = 0
    for (const byte of chunk) {
      if (this.done) break
      this.#take(byte)
    }
    return this.#out.subarray(0, this.#used)
  }

  /** The last line gets its end. */
  end(): Buffer {
    this.#out = Buffer.allocUnsafe(2)
    this.#used = 0
    if (!this.done && (this.#cr || this.#length > 0 || this.#dot)) this.#lineEnd()
    return this.#out.subarray(0, this.#used)
  }

  #take(byte: number): void {
    if (byte === NUL) return
    if (byte === CR) return void (this.#cr = true)
    if (byte === LF || this.#cr) this.#lineEnd()
    if (byte === LF || this.done) return
    if (byte === DOT && this.#length === 0 && this.#dotEnds && !this.#dot) {
      this.#dot = true
      return
    }
    this.#releaseDot()
    this.#put(byte)
    this.#length++
  }

  #lineEnd(): void {
    this.#cr = false
    if (this.#dot && this.#length === 0) {
      this.done = true
      return
    }
    this.#put(LF)
    this.#length = 0
    this.#dot = false
  }

  #releaseDot(): void {
    if (this.#dot && this.#length === 0) this.#put(DOT)
    this.#dot = false
  }

  #put(byte: number): void {
    this.#out[this.#used++] = byte
  }
}

function withoutMboxLine(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, MBOX_LINE.length).equals(MBOX_LINE)) return bytes
  const end = bytes.indexOf(LF)
  return end === -1 ? Buffer.alloc(0) : bytes.subarray(end + 1)
}
