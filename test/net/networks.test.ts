import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatIp, networkOf, octetsOf } from '../../src/net/ip.js'
import { NetworkError, Networks } from '../../src/net/networks.js'

describe('an address', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['1::', '1::'],
    ['64:ff9b::192.0.2.7', '64:ff9b::c000:207'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s is %s', (text, canonical) => {
    expect(formatIp(octetsOf(text)!)).toBe(canonical)
  })

  test.each([
    '',
    'localhost',
    '1.2.3',
    '1.2.3.256',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    '[::1]',
    ' ::1',
  ])('%j is none', (text) => {
    expect(octetsOf(text)).toBeNull()
  })

  test('is the same after being written and read', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const octets = octetsOf(text)!
        const written = formatIp(octets)
        expect(isIP(written)).toBe(octets.length === 4 ? 4 : 6)
        expect(octetsOf(written)).toEqual(octets)
      }),
    )
  })

  test.each([
    ['192.0.2.7', '192.0.2.0/24'],
    ['2001:db8:1:2:3::4', '2001:db8:1:2::/64'],
    ['nobody', null],
  ])('%s lies in %s', (address, network) => {
    expect(networkOf(address, { ip4: 24, ip6: 64 })).toBe(network)
  })
})

describe('a list of networks', () => {
  test.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.128.0.0/9', '10.127.255.255', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1/32', '10.0.0.2', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '192.0.2.1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', 'nobody', false],
  ])('%s with %s: %s', (network, address, has) => {
    expect(new Networks(['198.51.100.0/24', network]).has(address)).toBe(has)
  })

  test.each([
    ...['', '/8', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08x', '10/8', 'a.org'],
    ...['::/129', '::ffff:10.0.0.0/104', 'fe80::%eth0/64', ' 10.0.0.0/8', '10.0.0.0/8\n'],
  ])('takes no %j', (text) => {
    expect(() => new Networks([text])).toThrow(NetworkError)
  })

  test('says what is meant when an address within a network is given', () => {
    expect(() => new Networks(['10.1.2.3/8'])).toThrow('use 10.0.0.0/8')
    expect(() => new Networks(['2001:db8::1/32'])).toThrow('use 2001:db8::/32')
  })

  test('has an end', () => {
    const many = Array.from({ length: 1_001 }, () => '10.0.0.0/8')
    expect(() => new Networks(many)).toThrow('more than 1000')
  })
})
