/**
 * The inner loop of crlf.ts as WebAssembly, sixteen octets at a time: about six times as fast
 * as the string functions, which are two to four times as fast as loops over bytes in
 * JavaScript. Where a processor or `--jitless` does not allow it, the string functions do it.
 */

/** Octets that can be converted in one go. */
export const CHUNK = 64 * 1024

/** Puts a CR before each LF that has none. A thread has one and uses it for one thing at a time. */
export interface Kernel {
  /** What is converted next is put here, from the beginning; `CHUNK` octets have room. */
  readonly input: Buffer
  /**
   * Converts the first so many octets of `input`.
   * @param before the octet before them, 0 at the beginning
   * @returns memory that the next conversion uses again
   */
  expand(octets: number, before: number): Buffer
}

/** What is used of the platform's own; the compiler's library knows it only with all of a browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** @returns the end of what was written from `to` on */
  readonly expand: (from: number, end: number, to: number) => number
}

const CR = 13
const LF = 10
/** Octets that are looked at together. */
const BLOCK = 16
/** Where the input begins: the octet before it has room, and blocks are aligned. */
const FROM = BLOCK
/** Blocks are read, and written, beyond the end of what counts. */
const TO = FROM + CHUNK + BLOCK
/** Pages of 64 KiB, for the input and twice that. */
const PAGES = 4

/** Octets of a module, or of a part of it. */
type Code = readonly number[]

const code = (...parts: readonly Code[]): Code => parts.flat()

// Types and instructions, named as in chapter 5 of the WebAssembly core specification.
const I32 = [0x7f]
const V128 = [0x7b]
const VOID = [0x40]
const FUNCTION = [0x60]
const LOOP = code([0x03], VOID)
const IF = code([0x04], VOID)
const ELSE = [0x05]
const END = [0x0b]
const AGAIN_IF = [0x0d, 0]
const NOT_EQUAL = [0x47]
const LESS = [0x49]
const TRAILING_ZEROS = [0x68]
const ADD = [0x6a]
const SUBTRACT = [0x6b]
const LOAD_OCTET = [0x2d, 0, 0]
const STORE_OCTET = [0x3a, 0, 0]
const LOAD_BLOCK = [0xfd, 0, 0, 0]
const STORE_BLOCK = [0xfd, 11, 0, 0]
const NO_BLOCK = [0xfd, 12, ...Buffer.alloc(BLOCK)]
const IN_EACH = [0xfd, 15]
const EQUAL_EACH = [0xfd, 35]
const BIT_OF_EACH = [0xfd, 0xe4, 0]
const get = (local: number): Code => [0x20, local]
const set = (local: number): Code => [0x21, local]
const tee = (local: number): Code => [0x22, local]
/** A number below 64: one octet of LEB128. */
const number = (value: number): Code => [0x41, value]

// Locals: the parameters, which move on; a bit for each LF of a block, then where the first is.
const [from, end, to, found, block, feeds] = [0, 1, 2, 3, 4, 5]
const forward = (local: number, by: Code): Code => code(get(local), by, ADD, set(local))
const put = (octet: number): Code =>
  code(get(to), number(octet), STORE_OCTET, forward(to, number(1)))

/**
 * Copies a block whether it has a LF or not. If it has, goes on behind the first: what was
 * copied of the rest is overwritten.
 */
const BODY = code(
  // No LF may be found behind the end.
  code(get(end), NO_BLOCK, STORE_BLOCK),
  code(number(LF), IN_EACH, set(feeds)),
  LOOP,
  code(get(to), get(from), LOAD_BLOCK, tee(block), STORE_BLOCK),
  code(get(block), get(feeds), EQUAL_EACH, BIT_OF_EACH, tee(found)),
  IF,
  code(get(found), TRAILING_ZEROS, set(found)),
  code(forward(from, get(found)), forward(to, get(found))),
  code(get(from), number(1), SUBTRACT, LOAD_OCTET, number(CR), NOT_EQUAL),
  code(IF, put(CR), END),
  code(put(LF), forward(from, number(1))),
  ELSE,
  code(forward(from, number(BLOCK)), forward(to, number(BLOCK))),
  END,
  code(get(from), get(end), LESS, AGAIN_IF),
  END,
  // The last block may have gone beyond the end.
  code(get(to), get(from), SUBTRACT, get(end), ADD),
  END,
)

/** Numbers of any size, as they stand before what they count (LEB128). */
function length(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...length(value >>> 7)]
}

const counted = (...parts: readonly Code[]): Code => code(length(code(...parts).length), ...parts)
const list = (...items: readonly Code[]): Code => code([items.length], ...items)
const section = (id: number, items: Code): Code => code([id], counted(items))
const name = (text: string): Code => counted([...Buffer.from(text)])

const MODULE = Uint8Array.from(
  code(
    [...Buffer.from('\0asm'), 1, 0, 0, 0],
    section(1, list(code(FUNCTION, list(I32, I32, I32), list(I32)))),
    section(3, list([0])),
    section(5, list([0, PAGES])),
    section(7, list(code(name('memory'), [2, 0]), code(name('expand'), [0, 0]))),
    section(10, list(counted(list(code([1], I32), code([2], V128)), BODY))),
  ),
)

/** The fast one if it can be had. */
export function makeKernel(): Kernel {
  try {
    return compiled()
  } catch {
    return stringKernel()
  }
}

/** @throws where it is not allowed, or there is no room for it */
function compiled(): Kernel {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE))
  const { memory, expand } = exports as Exports
  const all = Buffer.from(memory.buffer)
  return {
    input: all.subarray(FROM, FROM + CHUNK),
    expand: (octets, before) => {
      all[FROM - 1] = before
      return all.subarray(TO, expand(FROM, FROM + octets, TO))
    },
  }
}

/** The same without WebAssembly. */
export function stringKernel(): Kernel {
  const input = Buffer.allocUnsafeSlow(CHUNK)
  return {
    input,
    expand: (octets, before) => {
      const text = input.toString('latin1', 0, octets)
      const keepsFirst = before === CR && text.startsWith('\n')
      const wire = text.replace(/(?<!\r)\n/g, '\r\n')
      return Buffer.from(keepsFirst ? wire.slice(1) : wire, 'latin1')
    },
  }
}
