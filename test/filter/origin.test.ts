import { describe, expect, it } from 'vitest'
import { networkOfStranger, reversed, strangerAddress } from '../../src/filter/origin.js'

const client = (address: string, user: string | null = null) => ({
  ...{ address, user },
  ...{ helo: 'client', secure: false },
})

describe('the origin of mail', () => {
  it.each(['192.0.2.7', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:db8::1'])(
    'is a stranger at %s, unless a user speaks',
    (address) => {
      expect(strangerAddress(client(address))).toBe(address)
      expect(strangerAddress(client(address, 'alice@example.com'))).toBeNull()
    },
  )

  it.each([
    ...['', '127.0.0.1', '127.9.9.9', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.7.7'],
    ...['169.254.1.1', '100.64.0.1', '100.127.255.255', '0.0.0.0', '::1', '::', 'fe80::1%eth0'],
    ...['fd00::1', '::ffff:10.0.0.1', 'nonsense'],
  ])('is near at %j', (address) => {
    expect(strangerAddress(client(address))).toBeNull()
  })

  it('has a name in DNS lists (RFC 5782)', () => {
    expect(reversed('192.0.2.99')).toBe('99.2.0.192')
    expect(reversed('2001:db8:1:2:3:4:567:89ab')).toBe(
      'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2',
    )
  })

  it('is one network with its neighbours', () => {
    expect(networkOfStranger('192.0.2.99')).toBe(networkOfStranger('192.0.2.1'))
    expect(networkOfStranger('192.0.2.99')).not.toBe(networkOfStranger('192.0.3.99'))
    expect(networkOfStranger('2001:db8::1')).toBe(networkOfStranger('2001:db8::ffff:1'))
    expect(networkOfStranger('2001:db8::1')).not.toBe(networkOfStranger('2001:db8:0:1::1'))
  })
})
