import { expect, test } from 'vitest'
import { silent } from '../../src/log/log.js'
import { RoutingRelay } from '../../src/relay/routing-relay.js'
import { MESSAGE, route, ScriptedHops, smarthosts, TAKEN, unusable, work } from './relay-stage.js'

const LANE = 'smarthost:default'
const TWO = smarthosts('smtp://192.0.2.1', 'smtp://192.0.2.2')

test('smarthosts that are all without TLS get no mail that requires it, which comes back; others go on', async () => {
  const hops = new ScriptedHops()
  const mx = { deliver: () => Promise.reject(new Error('no MX here')) }
  const way = { routes: [route('default', { via: TWO })], tlsPolicies: [] }
  const relay = new RoutingRelay(way, { hops, mx, isOurselves: () => false, log: silent })
  const secret = { ...work('a@far.net'), requireTls: true }
  for (const name of ['192.0.2.1', '192.0.2.2'])
    hops.answers.set(name, unusable(550, '5.7.30', 'no TLS'))
  const [back] = await relay.deliver(LANE, secret, MESSAGE)
  expect([back?.refusal?.code, back?.refusal?.status]).toEqual([550, '5.7.30'])
  hops.answers.set('192.0.2.1', unusable())
  const [waits] = await relay.deliver(LANE, secret, MESSAGE)
  expect([waits?.refusal?.code, waits?.refusal?.status]).toEqual([451, '4.4.1'])
  // The second one was of no use to that mail only.
  hops.names()
  hops.answers.clear()
  expect(await relay.deliver(LANE, work('a@far.net'), MESSAGE)).toEqual([TAKEN])
  expect(hops.names()).toEqual(['192.0.2.2'])
})
