import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  clash,
  EndpointError,
  EndpointUnsupported,
  formatEndpoint,
  parseEndpoint,
  type TcpEndpoint,
} from '../../src/net/endpoint.js'

describe('parseEndpoint', () => {
  test.each([
    ['25', { kind: 'tcp', host: null, port: 25, proxies: null }],
    ['0', { kind: 'tcp', host: null, port: 0, proxies: null }],
    ['127.0.0.1:25', { kind: 'tcp', host: '127.0.0.1', port: 25, proxies: null }],
    ['[::1]:65535', { kind: 'tcp', host: '::1', port: 65535, proxies: null }],
    ['unix:/run/mailtap.sock', { kind: 'unix', path: '/run/mailtap.sock', mode: 0o600 }],
    ['unix:/a?mode=660', { kind: 'unix', path: '/a', mode: 0o660 }],
  ])('reads %s', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint)
  })

  test.each([
    ...['', ' ', '25 ', '+25', '-1', '65536', '0x19', '1e2', '2５', 'localhost:25', '::1:25'],
    ...['[127.0.0.1]:25', '127.0.0.1', '127.0.0.1:', '256.0.0.1:25', '[::1]', '[::1]:', '1.2:3'],
    ...['unix:', 'unix:relative', 'unix:/a?mode=9', 'unix:/a?mode=', 'unix:/a?x=1', '25?mode=660'],
    ...['25?proxy=', '25?proxy=localhost', '25?proxy=10.0.0.1/8', '25?proxy=10.0.0.0/8,'],
    ...['25?proxy=10.0.0.1&proxy=10.0.0.2', '25?proxy=10.0.0.1&mode=660', 'unix:/a?proxy=10.0.0.1'],
    ...['unix:/a?mode=660&mode=600', `unix:/${'x'.repeat(107)}`, 'unix:/a\0b', 'systemd:'],
  ])('refuses %j and says what would be right', (text) => {
    expect(() => parseEndpoint(text)).toThrow(EndpointError)
  })

  test('knows systemd:smtp and says that it is not in this version', () => {
    expect(() => parseEndpoint('systemd:smtp')).toThrow(EndpointUnsupported)
  })

  test('reads who may speak for others', () => {
    const endpoint = parseEndpoint('[::1]:25?proxy=10.0.0.0/8,2001:db8::7') as TcpEndpoint
    expect(endpoint).toMatchObject({ kind: 'tcp', host: '::1', port: 25 })
    const told = ['10.9.8.7', '2001:db8::7', '11.0.0.1', '2001:db8::8', '::1', ''].map((address) =>
      endpoint.proxies?.has(address),
    )
    expect(told).toEqual([true, true, false, false, false, false])
  })

  test.each([
    [['25', '25'], { one: 0, other: 1 }],
    [['0', '25', '127.0.0.1:25'], { one: 1, other: 2 }],
    [['127.0.0.1:25', '[::]:25'], { one: 0, other: 1 }],
    [['0.0.0.0:25', '127.0.0.1:25'], { one: 0, other: 1 }],
    [['[::1]:25', '[0:0:0:0:0:0:0:1]:25'], { one: 0, other: 1 }],
    [['unix:/a', 'unix:/a?mode=660'], { one: 0, other: 1 }],
    [['25', '26', '127.0.0.1:27'], null],
    [['127.0.0.1:25', '127.0.0.2:25', '[::1]:25'], null],
    [['0.0.0.0:25', '[::1]:25', '[fe80::1]:25'], null],
    [['0', '0', '127.0.0.1:0', 'unix:/a', 'unix:/b'], null],
    [[], null],
  ])('finds in %j what can not be listened on at once', (texts, found) => {
    expect(clash(texts)).toEqual(found)
  })

  test('takes no text that it would write differently, and throws nothing else', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123456789.:[]unix/?=mode a') })
    fc.assert(
      fc.property(text, (given) => {
        try {
          const endpoint = parseEndpoint(given)
          const written = formatEndpoint(endpoint).replace(/^\*:/, '')
          const defaults = endpoint.kind === 'unix' ? { mode: 0o600 } : {}
          expect(parseEndpoint(written)).toEqual({ ...endpoint, ...defaults })
        } catch (error) {
          if (!(error instanceof EndpointError)) throw error
        }
      }),
    )
  })
})
