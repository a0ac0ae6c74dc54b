/** What stands between the portal and a back end that may be slow or down. */
import { describe, expect, it } from 'vitest'
import { BackEndDown, Guard } from '../../src/checkers/guard.js'

const never = () => new Promise<never>(() => {})
const fails = () => Promise.reject(new Error('broken'))

describe('a guard', () => {
  it('gives up a question after its time, and tells the one who asks', async () => {
    const guard = new Guard('x', { timeoutMs: 10 })
    let told: unknown = null
    const asked = guard.run((signal) => {
      signal.addEventListener('abort', () => (told = signal.reason))
      return never()
    })
    await expect(asked).rejects.toThrow('the checker x gave no answer in 10 ms')
    expect(told).toBeInstanceOf(BackEndDown)
  })

  it('asks only so many questions at once', async () => {
    const guard = new Guard('x', { running: 2 })
    let running = 0
    let most = 0
    const ask = async (): Promise<void> => {
      most = Math.max(most, ++running)
      await new Promise((done) => setTimeout(done, 1))
      running--
    }
    await Promise.all(Array.from({ length: 20 }, () => guard.run(ask)))
    expect(most).toBe(2)
  })

  it('refuses more who wait than there may be', async () => {
    const guard = new Guard('x', { running: 1, waiting: 1, timeoutMs: 50 })
    const results = await Promise.allSettled([1, 2, 3].map(() => guard.run(never)))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  })

  it('leaves alone what failed again and again, tries it after a rest, and trusts it again', async () => {
    let now = 0
    const guard = new Guard('x', { failures: 3, restMs: 1_000 }, () => now)
    let asked = 0
    const broken = () => {
      asked++
      return fails()
    }
    for (let i = 0; i < 3; i++) await expect(guard.run(broken)).rejects.toThrow('broken')
    await expect((async () => guard.run(broken))()).rejects.toThrow(/asked again soon/)
    expect(asked).toBe(3)
    now = 1_000
    await expect(guard.run(broken)).rejects.toThrow('broken')
    await expect((async () => guard.run(broken))()).rejects.toThrow(BackEndDown)
    expect(asked).toBe(4)
    now = 2_000
    expect(await guard.run(async () => 'yes')).toBe('yes')
    await expect(guard.run(broken)).rejects.toThrow('broken')
    expect(await guard.run(async () => 'yes')).toBe('yes')
  })
})
