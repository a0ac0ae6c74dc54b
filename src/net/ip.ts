/**
 * IP addresses as octets, so that they can be compared and put together into
 * networks: four octets of IPv4, sixteen of IPv6 (RFC 4291).
 */
import { isIP } from 'node:net'

/** How the sixteen octets of an IPv4 address begin where only IPv6 fits (RFC 4291 section 2.5.5.2). */
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex')
const GROUPS = 8

/**
 * An IPv4 address in the clothes of IPv6 is an IPv4 address; the zone of a link-local one is no part of it.
 * @returns `null` if the text is no address
 */
export function octetsOf(address: string): Buffer | null {
  const [plain = ''] = address.split('%', 1)
  switch (isIP(plain)) {
    case 4:
      return Buffer.from(plain.split('.').map(Number))
    case 6:
      return unmapped(ip6(plain))
    default:
      return null
  }
}

/** The one way to write an address: IPv6 as in RFC 5952. @param octets four or sixteen */
export function formatIp(octets: Buffer): string {
  const plain = unmapped(octets)
  return plain.length === 4 ? plain.join('.') : formatIp6(plain)
}

/** The octets with all but the first `bits` bits cleared. */
export function masked(octets: Buffer, bits: number): Buffer {
  return Buffer.from(
    octets.map((octet, index) => {
      const kept = Math.min(8, Math.max(0, bits - index * 8))
      return octet & (0xff00 >> kept)
    }),
  )
}

/**
 * The network that an address lies in, as `192.0.2.0/24`.
 * @returns `null` if the text is no address
 */
export function networkOf(
  address: string,
  bits: { readonly ip4: number; readonly ip6: number },
): string | null {
  const octets = octetsOf(address)
  if (octets === null) return null
  const length = octets.length === 4 ? bits.ip4 : bits.ip6
  return `${formatIp(masked(octets, length))}/${length}`
}

function ip6(text: string): Buffer {
  const [head = '', tail] = text.split('::')
  const before = groups(head)
  const after = groups(tail ?? '')
  const gap = Array.from({ length: GROUPS - before.length - after.length }, () => 0)
  const octets = Buffer.alloc(GROUPS * 2)
  for (const [index, group] of [...before, ...gap, ...after].entries()) {
    octets.writeUInt16BE(group, index * 2)
  }
  return octets
}

/** The last 32 bits may be written as IPv4. */
function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const octets = Buffer.from(group.split('.').map(Number))
    return [octets.readUInt16BE(0), octets.readUInt16BE(2)]
  })
}

function unmapped(octets: Buffer): Buffer {
  const mapped = octets.length === 16 && octets.subarray(0, MAPPED.length).equals(MAPPED)
  return mapped ? octets.subarray(MAPPED.length) : octets
}

function formatIp6(octets: Buffer): string {
  const written = octets.toString('hex').replace(/.{4}(?=.)/g, '$&:')
  return new URL(`http://[${written}]`).hostname.slice(1, -1)
}
