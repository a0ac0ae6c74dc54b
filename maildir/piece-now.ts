/** Reads large messages piece by piece, waiting for the disk: for a thread that has nothing else to do. */
import { crlfInput, CrlfWriter } from './crlf.js'
import { CHUNK } from './crlf-kernel.js'
import { pieceMemory } from './memory-pool.js'
import { fill } from './read-now.js'

/** Reads of `CHUNK` octets that make a piece: with CR LF line ends there is room for it, unless its lines are very short. */
const READS = 2

/** The next piece of a file. */
export interface PieceWanted {
  /** Read to where the piece begins; stays open until there is an answer. */
  readonly fd: number
  /** The octet before the piece, `null` at the beginning. */
  readonly last: number | null
  /** Memory that nobody uses any more, for the piece to lie in. */
  readonly spare: ArrayBuffer | null
}

/** What was read. */
export interface Piece {
  /** With CR LF line ends. */
  readonly bytes: Uint8Array
  /** The last octet that the file had so far, `null` if none. */
  readonly last: number | null
  /** The file has no more. */
  readonly ended: boolean
}

/** Reads on in an open file. @throws the system's error */
export function readPiece({ fd, last, spare }: PieceWanted): Piece {
  const writer = new CrlfWriter(last)
  let bytes: Buffer = Buffer.from(spare ?? new ArrayBuffer(pieceMemory.room))
  let end = 0
  let ended = false
  for (let n = 0; n < READS && !ended; n++) {
    const got = fill(fd, crlfInput())
    ended = got < CHUNK
    const wire = writer.next(got)
    bytes = withRoom(bytes, end, wire.length)
    bytes.set(wire, end)
    end += wire.length
  }
  return { bytes: bytes.subarray(0, end), last: writer.last, ended }
}

/** The same memory, or larger memory that begins the same. */
function withRoom(bytes: Buffer, end: number, more: number): Buffer {
  if (end + more <= bytes.length) return bytes
  const larger = Buffer.from(new ArrayBuffer(end + more))
  bytes.copy(larger, 0, 0, end)
  return larger
}
