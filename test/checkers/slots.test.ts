import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Slots } from '../../src/checkers/slots.js'
import { LoginUnavailable } from '../../src/cred/errors.js'

/** Work that lasts until the test says so. */
function job() {
  let finish = (): void => {}
  const done = new Promise<void>((resolve) => (finish = resolve))
  return { run: () => done, finish: () => finish() }
}

describe('Slots', () => {
  it('run no more at once than allowed, the rest in the order they came', async () => {
    const slots = new Slots({ running: 2, waiting: 10, patience: 60_000 })
    const jobs = Array.from({ length: 5 }, job)
    const started: number[] = []
    const all = jobs.map((one, n) =>
      slots.run(() => {
        started.push(n)
        return one.run()
      }),
    )
    await turn()
    expect(started).toEqual([0, 1])
    jobs[1]!.finish()
    await turn()
    expect(started).toEqual([0, 1, 2])
    for (const one of jobs) one.finish()
    await Promise.all(all)
    expect(started).toEqual([0, 1, 2, 3, 4])
  })

  it('give a slot back when the work fails', async () => {
    const slots = new Slots({ running: 1, waiting: 0, patience: 1 })
    await expect(slots.run(() => Promise.reject(new Error('boom')))).rejects.toThrow('boom')
    expect(await slots.run(async () => 'fine')).toBe('fine')
  })

  it('turn away whoever comes when too many wait', async () => {
    const slots = new Slots({ running: 1, waiting: 1, patience: 60_000 })
    const [first, second] = [job(), job()]
    const running = [slots.run(first.run), slots.run(second.run)]
    await expect(slots.run(async () => {})).rejects.toThrow(LoginUnavailable)
    first.finish()
    second.finish()
    await Promise.all(running)
  })

  it('go round between places: who asks for many waits for his own', async () => {
    const slots = new Slots({ running: 1, waiting: 10, patience: 60_000 })
    const order: string[] = []
    const first = job()
    const running = slots.run(first.run, 'guesser')
    const check = (name: string, from: string) => slots.run(async () => void order.push(name), from)
    const all = [
      ...['g1', 'g2', 'g3', 'g4'].map((name) => check(name, 'guesser')),
      ...['a1', 'a2'].map((name) => check(name, 'alice')),
      check('b1', 'bob'),
    ]
    first.finish()
    await Promise.all([running, ...all])
    expect(order).toEqual(['g1', 'a1', 'b1', 'g2', 'a2', 'g3', 'g4'])
  })

  it('make room for others where one place has taken all, the last one going first (R7)', async () => {
    const slots = new Slots({ running: 1, waiting: 4, patience: 60_000 })
    const first = job()
    const running = slots.run(first.run, 'guesser')
    const heard: string[] = []
    const check = (name: string, from: string): Promise<number> =>
      slots
        .run(async () => name, from)
        .then(
          (done) => heard.push(done),
          () => heard.push(`${name} later`),
        )
    const guesses = ['g1', 'g2', 'g3', 'g4', 'g5'].map((name) => check(name, 'guesser'))
    await turn()
    expect(heard).toEqual(['g5 later'])
    const others = [check('a1', 'alice'), check('b1', 'bob'), check('c1', 'carol')]
    await turn()
    // With two each or less nobody has to give way.
    expect(heard).toEqual(['g5 later', 'g4 later', 'g3 later', 'g2 later'])
    await check('d1', 'dave')
    expect(heard.at(-1)).toBe('d1 later')
    first.finish()
    await Promise.all([running, ...guesses, ...others])
    expect(heard.slice(5)).toEqual(['g1', 'a1', 'b1', 'c1'])
  })

  it('turn away whoever waited too long, and nobody else', async () => {
    const slots = new Slots({ running: 1, waiting: 1, patience: 1 })
    const first = job()
    const running = slots.run(first.run)
    await expect(slots.run(async () => {})).rejects.toThrow(LoginUnavailable)
    first.finish()
    await running
    expect(await slots.run(async () => 'fine')).toBe('fine')
  })
})
