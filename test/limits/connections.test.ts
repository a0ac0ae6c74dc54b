import { closeSync, openSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ConnectionCounts, type ConnectionLimits } from '../../src/limits/connections.js'
import type { Limiter } from '../../src/limits/limits.js'
import { MemoryLimiter } from '../../src/limits/memory.js'
import { type Fields, type Log, silent } from '../../src/log/log.js'
import { Descriptors } from '../../src/net/descriptors.js'
import type { Admission } from '../../src/net/doorkeeper.js'
import { Networks } from '../../src/net/networks.js'

const NONE: ConnectionLimits = {
  inAll: 0,
  perAddress: 0,
  perNetwork: 0,
  ratePerAddress: 0,
  ratePerNetwork: 0,
  trusted: new Networks([]),
}

function counts(limits: Partial<ConnectionLimits>, limiter: Limiter = new MemoryLimiter()) {
  const errors: Fields[] = []
  const error = (_: string, fields: Fields = {}): void => void errors.push(fields)
  const log: Log = { ...silent, error }
  const all = { ...NONE, ...limits }
  const doors = new ConnectionCounts({ limits: () => all, limiter, log })
  return { doors, errors }
}

/** `in`, or why not. */
async function tries(doors: ConnectionCounts, ...addresses: string[]): Promise<string[]> {
  const admissions = await Promise.all(addresses.map((address) => doors.admit(address)))
  return admissions.map((each) => (each.admitted ? 'in' : each.why))
}

const leave = (admission: Admission): void => {
  if (admission.admitted) admission.leave()
}

describe('connections', () => {
  test('are limited per address, however many come at once', async () => {
    const { doors } = counts({ perAddress: 2 })
    const same = ['192.0.2.1', '192.0.2.1', '192.0.2.1']
    expect(await tries(doors, ...same)).toEqual(['in', 'in', 'address'])
    expect(await tries(doors, '192.0.2.2')).toEqual(['in'])
  })

  test('of one IPv6 network of 64 bits are those of one address', async () => {
    const { doors } = counts({ perAddress: 2 })
    const same = ['2001:db8::1', '2001:db8::ffff:1', '2001:db8:0:0:9::', '2001:db8:0:1::1']
    expect(await tries(doors, ...same)).toEqual(['in', 'in', 'address', 'in'])
  })

  test('are limited per network', async () => {
    const { doors } = counts({ perNetwork: 2 })
    const near = ['192.0.2.1', '192.0.2.2', '192.0.2.255', '192.0.3.1']
    expect(await tries(doors, ...near)).toEqual(['in', 'in', 'network', 'in'])
    const near6 = ['2001:db8:1:1::1', '2001:db8:1:2::1', '2001:db8:1:ffff::1', '2001:db8:2::1']
    expect(await tries(doors, ...near6)).toEqual(['in', 'in', 'network', 'in'])
  })

  test('are limited in all, for everybody', async () => {
    const { doors } = counts({ inAll: 2, trusted: new Networks(['192.0.2.0/24']) })
    expect(await tries(doors, '127.0.0.1', '192.0.2.1', '')).toEqual(['in', 'in', 'in-all'])
  })

  test('make room when they end, once', async () => {
    const { doors } = counts({ perAddress: 1, perNetwork: 1, inAll: 1 })
    const first = await doors.admit('192.0.2.1')
    expect(await tries(doors, '192.0.2.1')).toEqual(['in-all'])
    leave(first)
    leave(first)
    expect(await tries(doors, '192.0.2.1', '192.0.2.1')).toEqual(['in', 'in-all'])
  })

  test('that are refused leave no trace', async () => {
    const { doors } = counts({ perAddress: 5, perNetwork: 1 })
    const first = await doors.admit('192.0.2.1')
    for (let i = 0; i < 10; i++) await tries(doors, '192.0.2.2')
    leave(first)
    expect(await tries(doors, '192.0.2.2')).toEqual(['in'])
  })

  test('can be opened only so fast, and a network has its own measure', async () => {
    const { doors } = counts({ ratePerAddress: 2, ratePerNetwork: 3 })
    const said: string[] = []
    for (const last of [1, 1, 1, 2, 3]) {
      const admission = await doors.admit(`192.0.2.${last}`)
      said.push(admission.admitted ? 'in' : admission.why)
      leave(admission)
    }
    expect(said).toEqual(['in', 'in', 'address-rate', 'in', 'network-rate'])
  })

  test('of this machine and of trusted networks are not limited by address', async () => {
    const trusted = new Networks(['192.0.2.0/24', '2001:db8::/32'])
    const { doors } = counts({ perAddress: 1, perNetwork: 1, ratePerAddress: 1, trusted })
    for (const address of ['127.0.0.1', '::1', '', '192.0.2.7', '2001:db8::1']) {
      expect(await tries(doors, address, address, address)).toEqual(['in', 'in', 'in'])
    }
  })

  test('are let in while they cannot be counted, and that is told', async () => {
    const gone = () => Promise.reject(new Error('counter gone'))
    const broken: Limiter = { hit: gone, peek: gone }
    const { doors, errors } = counts({ ratePerAddress: 1 }, broken)
    expect(await tries(doors, '192.0.2.1')).toEqual(['in'])
    expect(errors).toEqual([{ reason: 'counter gone' }])
  })
})

describe('descriptors', () => {
  test('are short when only the reserve is left', () => {
    expect(new Descriptors(1_000_000).short()).toBe(false)
    expect(new Descriptors(Infinity).short()).toBe(false)
    // This process has more than two open.
    expect(new Descriptors(4).short()).toBe(true)
  })

  test('are looked at again after a few clients, and at each while they are short', () => {
    const open = [anyFile()]
    while (open.at(-1)! < 32) open.push(anyFile())
    // Half of them are the reserve: the next one is the last that is not.
    const next = open.at(-1)! + 1
    const descriptors = new Descriptors(2 * (next + 1))
    expect(descriptors.short()).toBe(false)
    open.push(anyFile())
    // A sixteenth of the reserve may come unseen.
    expect([1, 2, 3].map(() => descriptors.short())).toEqual([false, false, true])
    expect(descriptors.short()).toBe(true)
    closeSync(open.pop()!)
    expect(descriptors.short()).toBe(false)
    open.forEach((one) => closeSync(one))
  })

  test('are enough here', () => {
    expect(new Descriptors().short()).toBe(false)
  })
})

function anyFile(): number {
  return openSync('/dev/null', 'r')
}
