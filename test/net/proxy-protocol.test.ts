import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseProxyHeader, type ProxyStep } from '../../src/net/proxy-protocol.js'
import {
  ADDRESSES4,
  ADDRESSES6,
  LOCAL,
  PROXY,
  TCP4,
  TCP6,
  tlsVector,
  vector,
  version2,
} from '../helpers/proxy-headers.js'

const line = (text: string): Buffer => Buffer.from(text, 'latin1')
const FOUR = { address: '192.0.2.7', port: 4711 }
const SIX = { address: '2001:db8::7', port: 4711 }
const TLS = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
const withTls = (tls: Buffer): Buffer =>
  version2(PROXY, TCP4, Buffer.concat([ADDRESSES4, vector(0x04, Buffer.alloc(4)), tls]))

/** Whole headers, and the client that stands in them. */
const GOOD = [
  ['of version 1', line('PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n'), FOUR, null],
  ['with IPv6', line('PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\n'), SIX, null],
  ['with IPv4 as IPv6', line('PROXY TCP6 ::ffff:192.0.2.7 ::1 4711 25\r\n'), FOUR, null],
  [
    'with the highest and the lowest',
    line('PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n'),
    { address: '255.255.255.255', port: 65_535 },
    null,
  ],
  ['of nobody known', line('PROXY UNKNOWN\r\n'), 'unknown', null],
  ['of nobody known, with more', line(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`), 'unknown', null],
  ['of version 2', version2(PROXY, TCP4, ADDRESSES4), FOUR, null],
  ['of version 2 with IPv6', version2(PROXY, TCP6, ADDRESSES6), SIX, null],
  ['of the proxy itself', version2(LOCAL, 0, Buffer.alloc(0)), null, null],
  ['of the proxy itself, with noise', version2(LOCAL, 0xff, Buffer.alloc(536, 7)), null, null],
  ['of a family unspecified', version2(PROXY, 0, Buffer.from('noise')), 'unknown', null],
  ['of a UNIX socket', version2(PROXY, 0x31, Buffer.alloc(216)), null, null],
  ['with TLS', withTls(tlsVector(TLS.version, TLS.cipher)), FOUR, TLS],
  ['with old TLS', withTls(tlsVector('TLSv1.1', 'RC4')), FOUR, null],
  ['with TLS of another connection', withTls(tlsVector(TLS.version, TLS.cipher, 6)), FOUR, null],
  [
    'with a cipher that is none',
    withTls(tlsVector('TLSv1.2', 'a\r\nb')),
    FOUR,
    { version: 'TLSv1.2', cipher: 'unknown' },
  ],
  ['with half a word on TLS', withTls(vector(0x20, Buffer.from([1]))), FOUR, null],
  [
    'with a word on TLS that is cut off',
    withTls(vector(0x20, Buffer.from([1, 0, 0, 0, 0, 0x21, 0, 9, 1]))),
    FOUR,
    null,
  ],
  [
    'with a filler up to the greatest length',
    version2(PROXY, TCP4, Buffer.concat([ADDRESSES4, vector(4, Buffer.alloc(521))])),
    FOUR,
    null,
  ],
] as const

const LONG = version2(PROXY, TCP4, Buffer.alloc(0), 65_535)
/** What never becomes a header, however much follows. */
const BAD = [
  ['a command of SMTP', line('EHLO client.example\r\n')],
  ['another case', line('proxy TCP4 192.0.2.7 198.51.100.1 4711 25\r\n')],
  ['an endless line', line(`PROXY UNKNOWN ${'f'.repeat(200)}`)],
  ['a line that ends an octet too late', line(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`)],
  ['a lone LF', line(`PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\n${'x'.repeat(107)}`)],
  ['two spaces', line('PROXY TCP4  192.0.2.7 198.51.100.1 4711 25\r\n')],
  ['a leading zero', line('PROXY TCP4 192.0.2.7 198.51.100.1 04711 25\r\n')],
  ['a port too high', line('PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n')],
  ['a port below', line('PROXY TCP4 192.0.2.7 198.51.100.1 -1 25\r\n')],
  ['no port', line('PROXY TCP4 192.0.2.7 198.51.100.1\r\n')],
  ['the wrong family', line('PROXY TCP4 2001:db8::7 2001:db8::1 4711 25\r\n')],
  ['a zone', line('PROXY TCP6 fe80::1%eth0 2001:db8::1 4711 25\r\n')],
  ['a name', line('PROXY TCP4 a.org b.org 4711 25\r\n')],
  ['more behind it', line('PROXY TCP4 192.0.2.7 198.51.100.1 4711 25 x\r\n')],
  ['a NUL', line('PROXY TCP4 192.0.2.7\0 198.51.100.1 4711 25\r\n')],
  ['a word like UNKNOWN', line('PROXY UNKNOWNS\r\n')],
  ['UDP', line('PROXY UDP4 192.0.2.7 198.51.100.1 4711 25\r\n')],
  ['version 2 of 65,535 octets', LONG],
  ['version 2 of 537 octets', version2(PROXY, TCP4, Buffer.alloc(537))],
  ['version 2 of 537 octets, LOCAL', version2(LOCAL, 0, Buffer.alloc(537))],
  ['version 3', version2(0x31, TCP4, ADDRESSES4)],
  ['an unknown command', version2(0x22, TCP4, ADDRESSES4)],
  ['datagrams', version2(PROXY, 0x12, ADDRESSES4)],
  ['an unknown family', version2(PROXY, 0x41, ADDRESSES4)],
  ['too little room for the addresses', version2(PROXY, TCP6, ADDRESSES4)],
  ['a vector cut off', version2(PROXY, TCP4, Buffer.concat([ADDRESSES4, Buffer.from([4, 0])]))],
  [
    'a vector longer than the rest',
    version2(PROXY, TCP4, Buffer.concat([ADDRESSES4, Buffer.from([4, 0, 9, 1])])),
  ],
] as const

/** As a socket brings it: piece by piece, until it is decided. */
function inPieces(bytes: Buffer, cuts: readonly number[]): ProxyStep {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]
  const steps = ends
    .toSorted((a, b) => a - b)
    .map((end) => parseProxyHeader(bytes.subarray(0, end)))
  return steps.find(({ kind }) => kind !== 'more') ?? { kind: 'more' }
}

const REST = Buffer.from('EHLO client.example\r\n')

describe('a PROXY header', () => {
  test.each(GOOD)('%s is understood', (_, header, client, tls) => {
    const expected = { kind: 'header', header: { length: header.length, client, tls } }
    expect(parseProxyHeader(header)).toEqual(expected)
    expect(parseProxyHeader(Buffer.concat([header, REST]))).toEqual(expected)
  })

  test.each(GOOD)('%s needs each of its bytes', (_, header) => {
    for (let length = 0; length < header.length; length++) {
      expect(parseProxyHeader(header.subarray(0, length))).toEqual({ kind: 'more' })
    }
  })

  test.each(BAD)('is never %s (W1)', (_, bytes) => {
    expect(parseProxyHeader(bytes).kind).toBe('malformed')
    expect(parseProxyHeader(Buffer.concat([bytes, REST])).kind).toBe('malformed')
  })

  test('is not waited for in ten megabytes without an end (W1)', () => {
    const flood = Buffer.concat([line('PROXY TCP4 '), Buffer.alloc(10_000_000, 'x')])
    expect(parseProxyHeader(flood.subarray(0, 107)).kind).toBe('malformed')
    expect(parseProxyHeader(flood).kind).toBe('malformed')
    // Of version 2 the length says enough, before any of it came.
    expect(parseProxyHeader(LONG.subarray(0, 16)).kind).toBe('malformed')
  })

  test('gives the same wherever TCP cuts it', () => {
    const samples = [...GOOD, ...BAD].map(([, bytes]) => Buffer.concat([bytes, REST]))
    const cuts = fc.array(fc.nat(), { maxLength: 8 })
    fc.assert(
      fc.property(fc.constantFrom(...samples), cuts, (bytes, places) => {
        expect(inPieces(bytes, places)).toEqual(parseProxyHeader(bytes))
      }),
    )
  })

  test('is decided soon and without a throw for any bytes', () => {
    const start = fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', '\r\n\r\n\0\r\nQUIT\n', '\r\n\r\n')
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 700 }), (text, noise) => {
        const bytes = Buffer.concat([line(text), noise])
        const step = parseProxyHeader(bytes)
        if (step.kind === 'header') expect(step.header.length).toBeLessThanOrEqual(16 + 536)
        if (bytes.length >= 16 + 536) expect(step.kind).not.toBe('more')
      }),
    )
  })
})
