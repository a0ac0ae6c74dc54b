/**
 * The body of DATA, byte by byte (RFC 5321 section 4.5.2): takes the dots off,
 * turns CR LF into LF, and knows exactly one end, CR LF `.` CR LF. Whatever is
 * not a clean line end marks the message as bad but never ends it: servers that
 * disagree about the end of a message can be made to accept forged ones.
 */

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

// Where in a line the parser stands; the body begins at the start of a line.
const LINE_START = 0
const IN_LINE = 1
const AFTER_CR = 2
const AFTER_DOT = 3
const AFTER_DOT_CR = 4
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

export class BodyParser {
  #state = LINE_START
  #faults = 0

  /** What was wrong so far, `null` if nothing was. */
  get fault(): BodyFault | null {
    return FAULTS.find(([bit]) => this.#faults & bit)?.[1] ?? null
  }

  /** Reads on. Where TCP cut the bytes makes no difference. */
  feed(chunk: Buffer): Piece {
    const content = Buffer.allocUnsafe(chunk.length)
    const { length } = chunk
    let state = this.#state
    let seen = 0
    let out = 0
    let lines = 0
    let at = 0
    while (at < length && !(seen & END)) {
      const byte = chunk[at++]!
      const step = TABLE[(state << 8) | byte]!
      state = step & STATE_BITS
      if (step & KEEP) content[out++] = byte
      else if (step & LINE) {
        content[out++] = LF
        lines++
      } else seen |= step
    }
    this.#state = state
    this.#faults |= seen
    return { taken: at, content: content.subarray(0, out), lines, done: (seen & END) !== 0 }
  }
}
