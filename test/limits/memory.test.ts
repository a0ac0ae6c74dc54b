import { describe, expect, test } from 'vitest'
import { MemoryLimiter } from '../../src/limits/memory.js'
import { limiterContract } from '../contracts/limiter.js'

/** A limiter and its clock. */
function made(maxKeys?: number) {
  let time = 5_000
  const limiter = new MemoryLimiter({
    now: () => time,
    ...(maxKeys === undefined ? {} : { maxKeys }),
  })
  const pass = async (milliseconds: number): Promise<void> => void (time += milliseconds)
  return { limiter, pass }
}

limiterContract('MemoryLimiter', async () => made())

/** Uses a key up, so that it is refused. */
async function block(limiter: MemoryLimiter, key: string): Promise<void> {
  await limiter.hit(key, 1, 1, 1)
  expect((await limiter.hit(key, 1, 1, 1)).allowed).toBe(false)
}

describe('the memory of a limiter', () => {
  test('has an end, and whoever was refused is forgotten last', async () => {
    const { limiter } = made(100)
    await block(limiter, 'villain')
    for (let i = 0; i < 1_000; i++) await limiter.hit(`crowd ${i}`, 1, 1, 10)
    expect(limiter.size).toBe(100)
    expect((await limiter.hit('villain', 1, 1, 1)).allowed).toBe(false)
  })

  test('lets go of those whose time is over before all others', async () => {
    const { limiter, pass } = made(3)
    await block(limiter, 'past')
    await pass(1_000)
    await block(limiter, 'present')
    await limiter.hit('guest', 1, 1, 1)
    await limiter.hit('other', 1, 1, 1)
    expect(limiter.size).toBe(3)
    expect((await limiter.hit('guest', 1, 1, 1)).allowed).toBe(false)
    expect((await limiter.hit('present', 1, 1, 1)).allowed).toBe(false)
  })

  test('has an end also when everybody in it is refused', async () => {
    const { limiter } = made(10)
    for (let i = 0; i < 100; i++) await block(limiter, `villain ${i}`)
    expect(limiter.size).toBe(10)
    expect((await limiter.hit('villain 99', 1, 1, 1)).allowed).toBe(false)
  })

  test('keeps nothing of who was only asked about in vain', async () => {
    const { limiter } = made()
    await limiter.hit('a', 2, 1, 1)
    expect(limiter.size).toBe(0)
  })

  test('allows exactly a burst of a rate that is no round number', async () => {
    const { limiter } = made()
    let count = 0
    for (let i = 0; i < 20; i++) if ((await limiter.hit('a', 1, 7 / 60, 7)).allowed) count++
    expect(count).toBe(7)
  })
})
