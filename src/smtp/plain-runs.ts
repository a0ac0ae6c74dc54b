/**
 * The plain part of the parser in body.ts as WebAssembly, sixteen octets at a time: copies text
 * with clean line ends, which nearly all of a message is, and leaves everything else to the
 * table there. Where a processor or `--jitless` does not allow it, the table does all of it.
 */

/** Octets that are looked at together with one copy of them. */
const WINDOW = 32 * 1024

/** What is used of the platform's own; the compiler's library knows it only with all of a browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** @returns how many octets were taken, above the sixteen bits of how many were written */
  readonly copy: (from: number, to: number) => number
}

const NUL = 0
const LF = 10
const CR = 13
const DOT = 46
/** Octets that are looked at together. */
const BLOCK = 16
/** Behind the end stands a block of NUL, at which every run ends; blocks are read, and written, beyond the end. */
const FROM = 0
const TO = WINDOW + 2 * BLOCK
/** Pages of 64 KiB, for the input and as much again. */
const PAGES = 2

// Opcodes (WebAssembly core specification, chapter 5.4), named as there.
const I32 = 0x7f
const V128 = 0x7b
const FUNCTION = 0x60
const VOID = 0x40
const LOOP = 0x03
const IF = 0x04
const ELSE = 0x05
const END = 0x0b
const EQUAL = 0x46
const NOT_EQUAL = 0x47
const TRAILING_ZEROS = 0x68
const ADD = 0x6a
const SUBTRACT = 0x6b
const OR = 0x72
const SHIFT_LEFT = 0x74
const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const tee = (local: number): number[] => [0x22, local]
const jump = (levels: number): number[] => [0x0c, levels]
/** A number below 64: one octet of LEB128. */
const number = (value: number): number[] => [0x41, value]
const LOAD_OCTET = [0x2d, 0, 0]
const LOAD_TWO = [0x2f, 0, 0]
const STORE_OCTET = [0x3a, 0, 0]
const LOAD_BLOCK = [0xfd, 0, 0, 0]
const STORE_BLOCK = [0xfd, 11, 0, 0]
const IN_EACH = [0xfd, 15]
const EQUAL_EACH = [0xfd, 35]
const OR_EACH = [0xfd, 80]
const BIT_OF_EACH = [0xfd, 0xe4, 0]
const NOTHING_EACH = [0xfd, 12, ...Array.from({ length: BLOCK }, () => 0)]

// Locals: the parameters, which move on, and where they began; where the first octet of note is in a block.
const [from, to, first, origin, found, block, feeds, returns] = [0, 1, 2, 3, 4, 5, 6, 7]
const advance = (local: number, by: readonly number[]): number[] =>
  [get(local), by, ADD, set(local)].flat()
const since = (local: number, begin: number): number[] => [get(local), get(begin), SUBTRACT].flat()
const same = (as: readonly number[]): number[] => [get(block), as, EQUAL_EACH].flat()

/** Both octets as one number, the first one the lower half (LEB128). */
const CR_LF = [0x41, 0x8d, 0x14]
/** Tells how far it got, as `Exports.copy` says. */
const RETURN = [since(from, first), number(16), SHIFT_LEFT, since(to, origin), OR, 0x0f].flat()
const UNREACHABLE = 0x00

/** Copies a block whatever is in it; what was copied behind the octet of note is overwritten. */
const BODY = [
  [get(from), set(first), get(to), set(origin)],
  [number(LF), IN_EACH, set(feeds), number(CR), IN_EACH, set(returns)],
  [LOOP, VOID],
  [get(to), get(from), LOAD_BLOCK, tee(block), STORE_BLOCK],
  [same(get(feeds)), same(get(returns)), OR_EACH, same(NOTHING_EACH), OR_EACH],
  [BIT_OF_EACH, tee(found), IF, VOID],
  [get(found), TRAILING_ZEROS, set(found), advance(from, get(found)), advance(to, get(found))],
  [get(from), LOAD_TWO, CR_LF, NOT_EQUAL, IF, VOID, RETURN, END],
  [get(to), number(LF), STORE_OCTET, advance(to, number(1)), advance(from, number(2))],
  [get(from), LOAD_OCTET, number(DOT), EQUAL, IF, VOID, RETURN, END],
  [ELSE, advance(from, number(BLOCK)), advance(to, number(BLOCK)), END],
  [jump(0), END, UNREACHABLE, END],
].flat(2)

/** Numbers of any size, as they stand before what they count (LEB128). */
function length(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...length(value >>> 7)]
}

const counted = (bytes: readonly number[]): number[] => [...length(bytes.length), ...bytes]
const section = (id: number, bytes: readonly number[]): number[] => [id, ...counted(bytes)]
const name = (text: string): number[] => counted([...Buffer.from(text)])

const MODULE = Uint8Array.from(
  [
    [...Buffer.from('\0asm'), 1, 0, 0, 0],
    section(1, [1, FUNCTION, ...counted([I32, I32]), ...counted([I32])]),
    section(3, [1, 0]),
    section(5, [1, 0, PAGES]),
    section(7, [2, ...name('memory'), 2, 0, ...name('copy'), 0, 0]),
    section(10, [1, ...counted([2, 3, I32, 3, V128, ...BODY])]),
  ].flat(),
)

/** Copies text up to what is not text with clean line ends. One for the process: nothing in it waits. */
export class PlainRuns {
  readonly #memory: Buffer
  readonly #copy: Exports['copy']
  #chunk: Buffer = Buffer.alloc(0)
  /** What is in the window: where it begins in the chunk, and where it ends. */
  #from = 0
  #end = 0
  /** Octets that the last call of `copy` used up. */
  taken = 0

  private constructor({ memory, copy }: Exports) {
    this.#memory = Buffer.from(memory.buffer)
    this.#copy = copy
  }

  /** `null` where it is not allowed, or there is no room for it. */
  static make(): PlainRuns | null {
    try {
      return new PlainRuns(
        new WebAssembly.Instance(new WebAssembly.Module(MODULE)).exports as Exports,
      )
    } catch {
      return null
    }
  }

  /** @param chunk what `copy` reads from next */
  begin(chunk: Buffer): void {
    this.#chunk = chunk
    this.#from = 0
    this.#end = 0
  }

  /**
   * Copies from the middle or the beginning of a line, CR LF as LF; stops at a dot that begins a
   * line, unless it is the first octet, at any other CR, LF or NUL, and now and then.
   * @param at where in the chunk
   * @returns how many octets were written: as many fewer than `taken` as there are lines
   */
  copy(at: number, into: Buffer, out: number): number {
    if (at >= this.#end) this.#look(at)
    const told = this.#copy(FROM + at - this.#from, TO)
    this.taken = told >>> 16
    const kept = told & 0xffff
    this.#memory.copy(into, out, TO, TO + kept)
    return kept
  }

  #look(at: number): void {
    this.#from = at
    const octets = this.#chunk.copy(this.#memory, FROM, at, at + WINDOW)
    this.#end = at + octets
    this.#memory.fill(NUL, FROM + octets, FROM + octets + BLOCK)
  }
}
