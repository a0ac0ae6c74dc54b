/** What every implementation of Locks must do. */
import { describe, expect, test } from 'vitest'
import type { Lease, Locks } from '../../src/locks/locks.js'

/** Runs the suite against fresh locks from `make`. */
export function locksContract(name: string, make: () => Promise<Locks>): void {
  describe(`${name} as Locks`, () => {
    test('a free name can be locked, and then not by anybody else', async () => {
      const locks = await make()
      const lease = await locks.tryAcquire('a')
      expect(lease?.valid()).toBe(true)
      expect(await locks.tryAcquire('a')).toBeNull()
    })

    test('of fifty who try at once exactly one wins', async () => {
      const locks = await make()
      const tries = await Promise.all(Array.from({ length: 50 }, () => locks.tryAcquire('a')))
      expect(tries.filter((lease) => lease !== null)).toHaveLength(1)
    })

    test('names do not disturb each other', async () => {
      const locks = await make()
      await locks.tryAcquire('a')
      expect(await locks.tryAcquire('A')).not.toBeNull()
      expect(await locks.tryAcquire('__proto__')).not.toBeNull()
    })

    test('a released lease is no longer valid and the name is free', async () => {
      const locks = await make()
      const lease = await held(locks)
      await lease.release()
      expect(lease.valid()).toBe(false)
      expect(await locks.tryAcquire('a')).not.toBeNull()
    })

    test('the token grows with every lease of a name', async () => {
      const locks = await make()
      const tokens: number[] = []
      for (let i = 0; i < 5; i++) {
        const lease = await held(locks)
        tokens.push(lease.token)
        await lease.release()
      }
      expect(new Set(tokens).size).toBe(5)
      expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
    })

    test('a late second release does not end the lease of the next holder', async () => {
      const locks = await make()
      const first = await held(locks)
      await first.release()
      const second = await held(locks)
      await first.release()
      expect(first.valid()).toBe(false)
      expect(second.valid()).toBe(true)
      expect(await locks.tryAcquire('a')).toBeNull()
    })

    test('a holder that is idle for long loses to a newcomer with a higher token, and is told', async () => {
      const locks = await make()
      const old = await held(locks)
      let told = 0
      old.onLost(() => told++)
      const lease = await held(locks, LONG_AGO)
      expect([old.valid(), lease.valid(), told]).toEqual([false, true, 1])
      expect(lease.token).toBeGreaterThan(old.token)
      old.touch()
      await old.release()
      expect([lease.valid(), told]).toEqual([true, 1])
      expect(await locks.tryAcquire('a')).toBeNull()
    })

    test('a holder that was at work just now keeps its lease', async () => {
      const locks = await make()
      const lease = await held(locks)
      lease.touch()
      expect(await locks.tryAcquire('a', AN_HOUR)).toBeNull()
      expect(lease.valid()).toBe(true)
    })

    test('whoever asks late is told of a loss at once, after a release nobody is', async () => {
      const locks = await make()
      const lost = await held(locks)
      const released = await held(locks, LONG_AGO)
      await released.release()
      await held(locks)
      let told = ''
      released.onLost(() => (told += 'released '))
      lost.onLost(() => (told += 'lost '))
      expect(told).toBe('lost ')
    })

    test('however many take over at once, one lease is good in the end: the one with the highest token', async () => {
      const locks = await make()
      await held(locks)
      const tries = await Promise.all(
        Array.from({ length: 50 }, () => locks.tryAcquire('a', LONG_AGO)),
      )
      const leases = tries.filter((lease) => lease !== null)
      const good = leases.filter((lease) => lease.valid()).map(({ token }) => token)
      expect(good).toEqual([Math.max(...leases.map(({ token }) => token))])
    })
  })
}

/** Every holder has been idle for no time at all. */
const LONG_AGO = 0
const AN_HOUR = 3_600_000

async function held(locks: Locks, takeoverMs?: number): Promise<Lease> {
  const lease = await locks.tryAcquire('a', takeoverMs)
  if (lease === null) throw new Error('the name is not free')
  return lease
}
