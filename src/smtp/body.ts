/**
 * The body of DATA (RFC 5321 section 4.5.2): takes the dots off, turns CR LF
 * into LF, and knows exactly one end, CR LF `.` CR LF. Whatever is not a clean
 * line end marks the message as bad but never ends it: servers that disagree
 * about the end of a message can be made to accept forged ones.
 */
import { PlainRuns } from './plain-runs.js'

/** What makes a body unacceptable, in the words of the reply. */
export type BodyFault = 'bare LF' | 'bare CR' | 'NUL'

export interface Piece {
  /** Bytes used from the chunk; fewer than it has only if `done`. */
  readonly taken: number
  /** Content with LF line ends; worth nothing once there is a fault. */
  readonly content: Buffer
  /** LFs in `content`. */
  readonly lines: number
  readonly done: boolean
}

const LF = 10
const CR = 13
const DOT = 46
const NUL = 0
/** Octets that go byte by byte where a run ended: what ends runs seldom comes alone. */
const STRETCH = 128

// Where in a line the parser stands; the body begins at the start of a line.
const LINE_START = 0
const IN_LINE = 1
const AFTER_CR = 2
const AFTER_DOT = 3
const AFTER_DOT_CR = 4
const NOTHING = Buffer.alloc(0)
const STATES = [LINE_START, IN_LINE, AFTER_CR, AFTER_DOT, AFTER_DOT_CR]

// What to do with a byte, as bits above the three of the next state.
const STATE_BITS = 7
const KEEP = 8
const LINE = 16
const END = 32
const BARE_LF = 64
const BARE_CR = 128
const HAS_NUL = 256
const FAULTS: readonly (readonly [number, BodyFault])[] = [
  [BARE_LF, 'bare LF'],
  [BARE_CR, 'bare CR'],
  [HAS_NUL, 'NUL'],
]

/** What every byte means in every state: `state << 8 | byte` → next state and actions. */
const TABLE = Uint16Array.from({ length: STATES.length << 8 }, (_, index) =>
  meaning(index >> 8, index & 255),
)

function meaning(state: number, byte: number): number {
  if (state === AFTER_CR && byte === LF) return LINE_START | LINE
  if (state === AFTER_DOT_CR && byte === LF) return LINE_START | END
  if (state === AFTER_CR || state === AFTER_DOT_CR)
    return BARE_CR | (byte === CR ? AFTER_CR : IN_LINE)
  if (byte === CR) return state === AFTER_DOT ? AFTER_DOT_CR : AFTER_CR
  if (byte === DOT && state === LINE_START) return AFTER_DOT
  if (byte === LF) return BARE_LF | IN_LINE
  if (byte === NUL) return HAS_NUL | IN_LINE
  return KEEP | IN_LINE
}

/** The fast one for what is plain, `null` if there can be none. */
const runs = PlainRuns.make()

export class BodyParser {
  readonly #runs: PlainRuns | null
  #state = LINE_START
  #faults = 0
  #chunk: Buffer = NOTHING
  #content: Buffer = NOTHING
  #at = 0
  #out = 0
  #lines = 0

  /** @param plain `null`: every byte takes the way of the table, which is what the fast one has to agree with */
  constructor(plain: PlainRuns | null = runs) {
    this.#runs = plain
  }

  /** What was wrong so far, `null` if nothing was. */
  get fault(): BodyFault | null {
    return FAULTS.find(([bit]) => this.#faults & bit)?.[1] ?? null
  }

  /**
   * Reads on. Where TCP cut the bytes makes no difference.
   * @param room for the content: as long as the chunk
   */
  feed(chunk: Buffer, room: Buffer = Buffer.allocUnsafe(chunk.length)): Piece {
    this.#chunk = chunk
    this.#content = room
    this.#at = this.#out = this.#lines = 0
    const done = this.#parse()
    const content = this.#content.subarray(0, this.#out)
    // Who waits for more for an hour keeps nothing.
    this.#chunk = this.#content = NOTHING
    return { taken: this.#at, content, lines: this.#lines, done }
  }

  /** @returns whether the body ended */
  #parse(): boolean {
    this.#runs?.begin(this.#chunk)
    while (this.#at < this.#chunk.length) {
      if (this.#runs !== null && this.#plain) this.#copyRun(this.#runs)
      if (this.#step(Math.min(this.#at + STRETCH, this.#chunk.length))) return true
    }
    return false
  }

  /** True in a line, and at the beginning of one that begins with no dot. */
  get #plain(): boolean {
    if (this.#state === LINE_START) return this.#chunk[this.#at] !== DOT
    return this.#state === IN_LINE
  }

  #copyRun(plain: PlainRuns): void {
    const kept = plain.copy(this.#at, this.#content, this.#out)
    this.#at += plain.taken
    this.#out += kept
    this.#lines += plain.taken - kept
    // No LF is kept but that of a line end.
    if (kept > 0) this.#state = this.#content[this.#out - 1] === LF ? LINE_START : IN_LINE
  }

  /** Byte by byte. @returns whether the body ended */
  #step(end: number): boolean {
    const [chunk, content] = [this.#chunk, this.#content]
    let [state, at, out, seen] = [this.#state, this.#at, this.#out, 0]
    while (at < end && !(seen & END)) {
      const byte = chunk[at++]!
      const step = TABLE[(state << 8) | byte]!
      state = step & STATE_BITS
      if (step & KEEP) content[out++] = byte
      else if (step & LINE) {
        content[out++] = LF
        this.#lines++
      } else seen |= step
    }
    this.#state = state
    this.#at = at
    this.#out = out
    this.#faults |= seen
    return (seen & END) !== 0
  }
}
