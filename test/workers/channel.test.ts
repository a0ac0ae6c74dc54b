import { describe, expect, test, vi } from 'vitest'
import { Channel, Unanswered } from '../../src/workers/channel.js'
import type { Answers, Book } from '../../src/workers/workers.js'

type Sums = {
  double: { asked: number; answer: number }
  fill: { asked: null; answer: void }
  hang: { asked: null; answer: void }
  /** Answered when the test says so. */
  slow: { asked: null; answer: number }
}
/** Of an end that answers nothing, or asks nothing. */
type Nothing = Book

const PATIENCE = 20_000

/** Two ends that are joined, and how often anything went from the first to the second. */
function joined() {
  const told: number[] = []
  let trips = 0
  let release: (answer: number) => void = () => {}
  const answers: Answers<Sums> = {
    double: (asked) => {
      told.push(asked)
      return asked * 2
    },
    fill: () => {
      throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
    },
    hang: () => new Promise(() => {}),
    slow: () => new Promise((resolve) => (release = resolve)),
  }
  const asking: Channel<Sums, Nothing> = new Channel<Sums, Nothing>((notes) => {
    trips++
    answering.receive(structuredClone(notes))
  }, {})
  const answering: Channel<Nothing, Sums> = new Channel<Nothing, Sums>(
    (notes) => asking.receive(structuredClone(notes)),
    answers,
  )
  return { asking, answering, told, trips: () => trips, release: (n: number) => release(n) }
}

describe('a channel', () => {
  test('gives each question its own answer, and sends those of one turn together', async () => {
    const { asking, trips } = joined()
    const answers = [1, 2, 3].map((n) => asking.ask('double', n, PATIENCE))
    expect(await Promise.all(answers)).toEqual([2, 4, 6])
    expect(trips()).toBe(1)
  })

  test('carries what was only told, in order with what is asked', async () => {
    const { asking, told } = joined()
    asking.tell('double', 7)
    await asking.ask('double', 8, PATIENCE)
    expect(told).toEqual([7, 8])
  })

  test('throws what the other end threw, with the code of the system', async () => {
    const { asking } = joined()
    await expect(asking.ask('fill', null, PATIENCE)).rejects.toMatchObject({
      message: 'the disk is full',
      code: 'ENOSPC',
    })
  })

  test('waits for no answer longer than it was told to', async () => {
    const { asking } = joined()
    await expect(asking.ask('hang', null, 1)).rejects.toThrow(Unanswered)
  })

  test('hands an answer that comes too late to whoever gives back what it grants', async () => {
    const { asking, release } = joined()
    const late: number[] = []
    await expect(asking.ask('slow', null, 1, (answer) => late.push(answer))).rejects.toThrow(
      Unanswered,
    )
    expect(late).toEqual([])
    release(42)
    await vi.waitFor(() => expect(late).toEqual([42]))
    // In time it is no late one.
    await asking.ask('double', 2, PATIENCE, (answer) => late.push(answer))
    expect(late).toEqual([42])
  })

  test('ends all questions when the other end is gone, and takes no new one', async () => {
    const { asking } = joined()
    const open = asking.ask('hang', null, PATIENCE)
    asking.close()
    await expect(open).rejects.toThrow(Unanswered)
    await expect(asking.ask('double', 1, PATIENCE)).rejects.toThrow(Unanswered)
  })

  test('answers nothing that it does not know, and survives what makes no sense', async () => {
    const { asking, answering } = joined()
    answering.receive('nonsense')
    const unknown = asking as unknown as Channel<{ nothing: Sums['hang'] }, Nothing>
    await expect(unknown.ask('nothing', null, PATIENCE)).rejects.toThrow(/nobody answers/)
    expect(await asking.ask('double', 4, PATIENCE)).toBe(8)
  })
})
