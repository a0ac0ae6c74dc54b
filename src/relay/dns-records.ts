/** What a DNS record says, read from its octets: RFC 1035 section 3.3, RFC 3596, RFC 6698 section 2.1. */
import { formatIp } from '../net/ip.js'
import type { TlsaRecord } from './hop.js'

/** Octets that are not what the RFCs say. */
export class DnsFormatError extends Error {
  override readonly name = 'DnsFormatError'
}

/** What each type of record says. */
export interface RecordOf {
  /** An address, as it is written. */
  A: string
  AAAA: string
  /** The root, which stands for "no mail" (RFC 7505), is the empty name. */
  MX: { readonly preference: number; readonly exchange: string }
  TLSA: TlsaRecord
  /** Its strings put together, one character per octet. */
  TXT: string
  CNAME: string
}

export type RecordType = keyof RecordOf

export const TYPE_NUMBERS: Readonly<Record<RecordType, number>> = {
  A: 1,
  CNAME: 5,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  TLSA: 52,
}

const MAX_NAME = 255
const MAX_LABEL = 63
const POINTER = 0xc0

interface ReadName {
  readonly name: string
  /** Where the octets behind it begin. */
  readonly next: number
}

/**
 * Reads a name, which may end with a pointer to an earlier one (RFC 1035 section 4.1.4).
 * @returns it in lower case without the last dot; octets that no host name has are written `\ddd`
 * @throws DnsFormatError
 */
export function readName(bytes: Buffer, at: number): ReadName {
  const labels: string[] = []
  let next: number | null = null
  let start = at
  let length = 1
  for (let position = at; ;) {
    const size = octetAt(bytes, position)
    if (size === 0) return { name: labels.join('.'), next: next ?? position + 1 }
    if (size >= POINTER) {
      const target = (size - POINTER) * 256 + octetAt(bytes, position + 1)
      // Each one leads to before all that was read: so there is an end.
      if (target >= start) throw new DnsFormatError('a name that points forward')
      next ??= position + 2
      start = position = target
      continue
    }
    length += size + 1
    if (size > MAX_LABEL || length > MAX_NAME) throw new DnsFormatError('a name too long')
    labels.push(labelAt(bytes, position + 1, size))
    position += size + 1
  }
}

/**
 * @param at where the record's data begin, `end` is where they end
 * @throws DnsFormatError when they are not what their type asks for
 */
export function readData<T extends RecordType>(
  type: T,
  bytes: Buffer,
  at: number,
  end: number,
): RecordOf[T] {
  return READERS[type](bytes, at, end)
}

type Readers = {
  readonly [T in RecordType]: (bytes: Buffer, at: number, end: number) => RecordOf[T]
}

const READERS: Readers = {
  A: (bytes, at, end) => address(bytes.subarray(at, end), 4),
  AAAA: (bytes, at, end) => address(bytes.subarray(at, end), 16),
  CNAME: wholeName,
  MX: (bytes, at, end) => {
    if (end - at < 3) throw new DnsFormatError('an MX record too short')
    return { preference: bytes.readUInt16BE(at), exchange: wholeName(bytes, at + 2, end) }
  },
  TLSA: (bytes, at, end) => {
    const [usage, selector, matching, ...data] = bytes.subarray(at, end)
    if (usage === undefined || selector === undefined || matching === undefined)
      throw new DnsFormatError('a TLSA record too short')
    return { usage, selector, matching, data: Buffer.from(data) }
  },
  TXT: strings,
}

function address(octets: Buffer, length: number): string {
  if (octets.length !== length) throw new DnsFormatError('an address of another length')
  return formatIp(octets)
}

function wholeName(bytes: Buffer, at: number, end: number): string {
  const { name, next } = readName(bytes, at)
  if (next !== end) throw new DnsFormatError('a name that is not all of its record')
  return name
}

function strings(bytes: Buffer, at: number, end: number): string {
  let text = ''
  for (let position = at; position < end;) {
    const next = position + 1 + octetAt(bytes, position)
    if (next > end) throw new DnsFormatError('a string that is longer than its record')
    text += bytes.toString('latin1', position + 1, next)
    position = next
  }
  return text
}

function labelAt(bytes: Buffer, at: number, size: number): string {
  if (at + size > bytes.length) throw new DnsFormatError('cut off within a name')
  return bytes
    .toString('latin1', at, at + size)
    .replace(/[^A-Za-z0-9_-]/g, (odd) => `\\${String(odd.charCodeAt(0)).padStart(3, '0')}`)
    .toLowerCase()
}

function octetAt(bytes: Buffer, at: number): number {
  const octet = bytes[at]
  if (octet === undefined) throw new DnsFormatError('cut off')
  return octet
}
