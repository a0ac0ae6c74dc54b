/** The first record of a TLS 1.2 client (RFC 5246 section 7.4.1.2) that asks for any octets as server name. */

const HANDSHAKE = 0x16
const CLIENT_HELLO = 1
const TLS12 = Buffer.from([3, 3])
/** ECDHE with AES 128, once for ECDSA and once for RSA. */
const CIPHERS = Buffer.from('c02bc02f', 'hex')
const SERVER_NAME = 0
const SUPPORTED_GROUPS = 10
const SIGNATURE_ALGORITHMS = 13

export function clientHello(serverName: Buffer): Buffer {
  const extensions = Buffer.concat([
    extension(SERVER_NAME, sized(2, Buffer.concat([Buffer.from([0]), sized(2, serverName)]))),
    extension(SUPPORTED_GROUPS, sized(2, Buffer.from('0017', 'hex'))),
    extension(SIGNATURE_ALGORITHMS, sized(2, Buffer.from('04030401', 'hex'))),
  ])
  const body = Buffer.concat([
    TLS12,
    Buffer.alloc(32, 7),
    sized(1, Buffer.alloc(0)),
    sized(2, CIPHERS),
    sized(1, Buffer.from([0])),
    sized(2, extensions),
  ])
  const message = Buffer.concat([Buffer.from([CLIENT_HELLO]), sized(3, body)])
  return Buffer.concat([Buffer.from([HANDSHAKE]), TLS12, sized(2, message)])
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 0xff]), sized(2, content)])
}

/** With its length before it. */
function sized(octets: 1 | 2 | 3, content: Buffer): Buffer {
  const length = Buffer.alloc(octets)
  length.writeUIntBE(content.length, 0, octets)
  return Buffer.concat([length, content])
}
