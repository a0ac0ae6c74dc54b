/**
 * A message as it travels inside the server: lines that end in LF, readable
 * more than once. Every CR LF from the wire became one LF and no other CR or
 * LF was let in, so the octets on the wire are always `size + lines`.
 */

/** Bytes in order: at once when they are in memory, chunk by chunk when they come from a disk. */
export type Bytes = Iterable<Buffer> | AsyncIterable<Buffer>

export interface Message {
  /** Octets with LF line ends. */
  readonly size: number
  /** How many LF there are: what CR LF line ends would add to `size`. */
  readonly lines: number
  /** The content from its first byte. May be called again, also while another reading goes on. */
  open(): Bytes
  /** Where the content lies, for who can copy it from there at less cost; absent if it lies nowhere else. */
  readonly filed?: Filed
}

/** Content in a file that this process has open. */
export interface Filed {
  /** Stands in front of what is in the file, which has as many octets as are missing from `size` then. */
  readonly head: Buffer
  /**
   * Lends the descriptor, to be read at any position, until the work is done.
   * @throws what the work throws, or when the file was given up
   */
  use<T>(work: (fd: number) => Promise<T>): Promise<T>
}

/** Puts header lines (each ending in LF, nothing but LF line ends) in front of a message. */
export function prepend(header: Buffer, message: Message): Message {
  const { filed } = message
  return {
    size: header.length + message.size,
    lines: countLines(header) + message.lines,
    open: () => joined(header, message.open()),
    ...(filed === undefined
      ? {}
      : { filed: { ...filed, head: Buffer.concat([header, filed.head]) } }),
  }
}

/** A message that is wholly in memory. The bytes must have LF line ends. */
export function fromBuffer(bytes: Buffer, lines = countLines(bytes)): Message {
  return { size: bytes.length, lines, open: () => [bytes] }
}

/** True if the bytes are there without waiting. */
export function inMemory(bytes: Bytes): bytes is Iterable<Buffer> {
  return Symbol.iterator in bytes
}

function joined(header: Buffer, rest: Bytes): Bytes {
  return inMemory(rest) ? [header, ...rest] : joinedLater(header, rest)
}

async function* joinedLater(header: Buffer, rest: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield header
  yield* rest
}

/** Counts LF bytes. */
export function countLines(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++
  return lines
}
