import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { leadsHere, staysHere } from '../../src/net/ourselves.js'

const everywhere = [{ host: null, port: 25 }]

test('what listens at all addresses is reached by each of this machine, at that port only', () => {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const addresses = own.map(({ address }) => address)
  for (const address of [...addresses, '127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::']) {
    expect([address, leadsHere(everywhere, address, 25)]).toEqual([address, true])
    expect([address, leadsHere(everywhere, address, 26)]).toEqual([address, false])
  }
  expect(leadsHere(everywhere, '::ffff:127.0.0.1', 25)).toBe(true)
  expect(leadsHere([{ host: '0.0.0.0', port: 25 }], '127.0.0.1', 25)).toBe(true)
  expect(leadsHere(everywhere, '192.0.2.1', 25)).toBe(false)
  expect(leadsHere([], '127.0.0.1', 25)).toBe(false)
})

test('what listens at one address is reached by that one, however it is written', () => {
  const listening = [{ host: '2001:db8::1', port: 25 }]
  expect(leadsHere(listening, '2001:DB8:0::1', 25)).toBe(true)
  expect(leadsHere(listening, '::1', 25)).toBe(false)
  expect(leadsHere([{ host: '192.0.2.1', port: 25 }], '192.0.2.1', 25)).toBe(true)
  expect(leadsHere([{ host: '127.0.0.2', port: 25 }], '127.0.0.1', 25)).toBe(false)
})

test('what stays on this machine is known in all of its spellings, whatever the port', () => {
  const here = ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '::FFFF:7f00:1', '0:0::1']
  for (const address of [...here, '0.0.0.0', '::', '::ffff:0.0.0.0', '0:0:0:0:0:0:0:0'])
    expect([address, staysHere(address)]).toEqual([address, true])
  for (const address of ['192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1'])
    expect([address, staysHere(address)]).toEqual([address, false])
})
