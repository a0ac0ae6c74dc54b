/** Headers of the PROXY protocol, good and bad, as a proxy would send them. */

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
export const LOCAL = 0x20
export const PROXY = 0x21
export const TCP4 = 0x11
export const TCP6 = 0x21

/** A header of version 2 with whatever stands in it. @param size what it says of its length */
export function version2(
  command: number,
  family: number,
  rest: Buffer,
  size: number = rest.length,
): Buffer {
  const fixed = Buffer.from([command, family, 0, 0])
  fixed.writeUInt16BE(size, 2)
  return Buffer.concat([SIGNATURE, fixed, rest])
}

/** 192.0.2.7:4711 to 198.51.100.1:25. */
export const ADDRESSES4 = Buffer.from('c0000207c633640112670019', 'hex')
/** [2001:db8::7]:4711 to [2001:db8::1]:25. */
export const ADDRESSES6 = Buffer.from(
  '20010db800000000000000000000000720010db800000000000000000000000112670019',
  'hex',
)

export function vector(type: number, value: Buffer): Buffer {
  const head = Buffer.from([type, 0, 0])
  head.writeUInt16BE(value.length, 1)
  return Buffer.concat([head, value])
}

/** What a proxy says of the client's TLS. @param flags 1 = on this connection */
export function tlsVector(version: string, cipher: string, flags = 1): Buffer {
  const details = [vector(0x21, Buffer.from(version)), vector(0x23, Buffer.from(cipher))]
  return vector(0x20, Buffer.concat([Buffer.from([flags, 0, 0, 0, 0]), ...details]))
}
