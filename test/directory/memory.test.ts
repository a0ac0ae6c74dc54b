import { describe, expect, it } from 'vitest'
import { MemoryDirectory } from '../../src/directory/memory.js'
import { formatAddress, parseAddress } from '../../src/mail/address.js'
import { directoryContract } from '../contracts/directory.js'

directoryContract('MemoryDirectory', ({ domains, defaultDomain = null, ...options }) => {
  const accounts = Object.entries(domains).flatMap(([domain, { users = {} }]) =>
    Object.entries(users).map(
      ([local, stored]) => [formatAddress({ local, domain }), stored] as const,
    ),
  )
  const settings = Object.entries(domains).map(([name, { catchAll, ...domain }]) => {
    return [name, { ...domain, catchAll: catchAll === undefined ? null : parseAddress(catchAll) }]
  })
  return new MemoryDirectory({
    ...options,
    domains: Object.fromEntries(settings),
    users: Object.fromEntries(accounts),
    defaultDomain,
  })
})

describe('MemoryDirectory', () => {
  it('takes the only domain for the default', () => {
    const directory = new MemoryDirectory({ users: { 'alice@example.com': 'secret' } })
    expect(directory.qualify('alice')).toEqual({ local: 'alice', domain: 'example.com' })
  })

  it('stores a bare password so that a challenge can use it', async () => {
    const directory = new MemoryDirectory({ users: { 'alice@example.com': 'secret' } })
    const alice = await directory.user({ local: 'alice', domain: 'example.com' })
    expect(alice?.password).toBe('{PLAIN}secret')
    expect(directory.secrets()).toBe('all')
  })

  it('takes nothing but addresses for users', () => {
    expect(() => new MemoryDirectory({ users: { alice: 'secret' } })).toThrow(/not an address/)
  })
})
