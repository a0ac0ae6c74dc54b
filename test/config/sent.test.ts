import { expect, test } from 'vitest'
import { CLIENT_LIMITS } from '../../src/config/limits.js'
import { packed, unpacked } from '../../src/config/sent.js'
import { Networks } from '../../src/net/networks.js'
import { plant } from '../helpers/domain-tree.js'
import { plainConfig } from '../helpers/plain-config.js'

test('settings are the same in another process, and its networks hold the same addresses', async () => {
  const tree = await plant({ domains: { 'example.com': {} } })
  const trusted = new Networks(['192.0.2.0/24', '2001:db8::/32'])
  const clients = { ...CLIENT_LIMITS, trusted }
  const limits = { messageSize: 1_000, connections: 10, clients }
  const config = plainConfig(tree, 'example.com', { limits })
  const there = unpacked(structuredClone(packed(config)))
  expect(packed(there)).toEqual(packed(config))
  const has = (address: string): boolean => there.limits.clients.trusted.has(address)
  expect(['192.0.2.9', '198.51.100.1', '2001:db8::5'].map(has)).toEqual([true, false, true])
  expect(there.smtp.xclient).toBeInstanceOf(Networks)
})
