/** Questions to a name server and its replies as octets: RFC 1035 section 4, EDNS of RFC 6891, AD of RFC 6840. */
import {
  DnsFormatError,
  readData,
  readName,
  type RecordOf,
  type RecordType,
  TYPE_NUMBERS,
} from './dns-records.js'

/** What can be asked for: labels of letters, digits, hyphens and underscores. */
const NAME = /^(?=.{1,253}$)(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}$/
const HEADER = 12
const INTERNET = 1
const FLAG_REPLY = 0x8000
const FLAG_OPCODE = 0x7800
const FLAG_TRUNCATED = 0x0200
const FLAG_RECURSE = 0x0100
const FLAG_AUTHENTIC = 0x0020
const RCODE = 0x000f
/** Octets of the longest reply by UDP that we ask for: it fits into one packet everywhere. */
const UDP_PAYLOAD = 1_232
/**
 * OPT with the DO bit: some validating resolvers set AD only for those who ask for signatures.
 * Root name, type 41, payload, no extended code, version 0, DO, no options.
 */
const OPT = Buffer.from([0, 0, 41, UDP_PAYLOAD >> 8, UDP_PAYLOAD & 0xff, 0, 0, 0x80, 0, 0, 0])
/** RFC 2181 section 8: a TTL beyond is none. */
const MAX_TTL = 0x7fffffff

export interface DnsQuestion {
  readonly id: number
  /** Without the last dot. */
  readonly name: string
  readonly type: RecordType
  /** Old servers take a question with EDNS for a broken one. */
  readonly edns: boolean
}

/** One record of the types that we know. */
export type DnsRecord = {
  readonly [T in RecordType]: {
    readonly type: T
    readonly name: string
    /** Seconds. */
    readonly ttl: number
    readonly data: RecordOf[T]
  }
}[RecordType]

export interface DnsReply {
  /** It did not fit: what there is of it says nothing. */
  readonly truncated: boolean
  /** RFC 1035 section 4.1.1: 0 = no error, 2 = server failure, 3 = no such name. */
  readonly rcode: number
  /** The server says that it checked all signatures. */
  readonly authentic: boolean
  readonly answers: readonly DnsRecord[]
  /** Octets. */
  readonly size: number
}

/** True for what can be asked for, and can be given to TLS as a name. */
export const isDnsName = (name: string): boolean => NAME.test(name)

/** @throws DnsFormatError for a name that cannot be asked for */
export function encodeQuestion({ id, name, type, edns }: DnsQuestion): Buffer {
  if (!isDnsName(name)) throw new DnsFormatError('not a name')
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), label])
  const header = Buffer.alloc(HEADER)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(FLAG_RECURSE | FLAG_AUTHENTIC, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(edns ? 1 : 0, 10)
  const end = Buffer.from([0, 0, TYPE_NUMBERS[type], 0, INTERNET])
  const octets = labels.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
  return Buffer.concat([header, ...octets, end, edns ? OPT : Buffer.alloc(0)])
}

/**
 * @returns `null` if it is no reply to this question
 * @throws DnsFormatError when it is one, but broken
 */
export function parseReply(bytes: Buffer, question: DnsQuestion): DnsReply | null {
  if (bytes.length < HEADER) return null
  const flags = bytes.readUInt16BE(2)
  if (bytes.readUInt16BE(0) !== question.id) return null
  if ((flags & FLAG_REPLY) === 0 || (flags & FLAG_OPCODE) !== 0) return null
  const rcode = flags & RCODE
  const start = endOfQuestion(bytes, question, rcode)
  if (start === null) return null
  const truncated = (flags & FLAG_TRUNCATED) !== 0
  const authentic = (flags & FLAG_AUTHENTIC) !== 0
  const answers = truncated ? [] : readAnswers(bytes, start)
  return { truncated, rcode, authentic, answers, size: bytes.length }
}

/** Where the answers begin; `null` if the question is another one. Who could not read it may leave it out. */
function endOfQuestion(bytes: Buffer, { name, type }: DnsQuestion, rcode: number): number | null {
  const count = bytes.readUInt16BE(4)
  if (count === 0 && rcode !== 0) return HEADER
  if (count !== 1) return null
  const asked = readName(bytes, HEADER)
  if (asked.name !== name.toLowerCase()) return null
  need(bytes, asked.next, 4)
  const same = bytes.readUInt16BE(asked.next) === TYPE_NUMBERS[type]
  return same && bytes.readUInt16BE(asked.next + 2) === INTERNET ? asked.next + 4 : null
}

/** The octets are at most 65,535 and a record has eleven at least: that bounds the work. */
function readAnswers(bytes: Buffer, start: number): DnsRecord[] {
  const records: DnsRecord[] = []
  let at = start
  for (let left = bytes.readUInt16BE(6); left > 0; left--) {
    const { name, next } = readName(bytes, at)
    need(bytes, next, 10)
    const begin = next + 10
    at = begin + bytes.readUInt16BE(next + 8)
    need(bytes, at, 0)
    const type = TYPES.get(bytes.readUInt16BE(next))
    if (type === undefined || bytes.readUInt16BE(next + 2) !== INTERNET) continue
    const ttl = bytes.readUInt32BE(next + 4)
    const data = readData(type, bytes, begin, at)
    records.push({ type, name, ttl: ttl > MAX_TTL ? 0 : ttl, data } as DnsRecord)
  }
  return records
}

const TYPES: ReadonlyMap<number, RecordType> = new Map(
  Object.entries(TYPE_NUMBERS).map(([type, number]) => [number, type as RecordType]),
)

function need(bytes: Buffer, at: number, octets: number): void {
  if (at + octets > bytes.length) throw new DnsFormatError('cut off')
}
