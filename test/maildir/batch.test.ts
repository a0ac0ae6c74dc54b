/** Small letters, many at a time, by threads: none depends on another, and none is lost with its thread. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deliverBatch, type Job } from '../../maildir/batch.js'
import { BatchThreads } from '../../maildir/batch-threads.js'
import { Delivery, WrongSize } from '../../maildir/maildir.js'
import { filesIn, letter, maildirWith, temporaryDirectory } from './helpers.js'
import { program } from './program.js'

const everything = (box: string): string[] => [
  ...filesIn(join(box, 'new')),
  ...filesIn(join(box, 'tmp')),
]

const DYING = new URL('./dying-thread.ts', import.meta.url)
const order = (maildir: string, name = 'name') => ({ maildir, draft: `draft.${name}`, name })
const hello = [Buffer.from('hello')]

describe('a batch', () => {
  /** One letter of one byte to each. */
  function deliverTo(boxes: readonly string[]) {
    const jobs = boxes.map((box, at): Job => ({ ...order(box, `${at}`), from: at, to: at + 1 }))
    return deliverBatch(jobs, Buffer.from('abcdefghij').subarray(0, boxes.length))
  }

  function linkedElsewhere(folder: string, victim: string): string {
    const box = maildirWith()
    fs.rmdirSync(join(box, folder))
    fs.symlinkSync(join(victim, folder), join(box, folder))
    return box
  }

  test('fails for each Maildir that is not one, and for no other', () => {
    const victim = maildirWith()
    const linked = join(temporaryDirectory(), 'box')
    fs.symlinkSync(victim, linked)
    const [good, alsoGood] = [maildirWith(), maildirWith()]
    const broken = [
      join(temporaryDirectory(), 'missing'),
      linked,
      linkedElsewhere('new', victim),
      linkedElsewhere('tmp', victim),
    ]
    const results = deliverTo([good, ...broken, alsoGood])
    const reasons = results.map((each) => each && (each.notAMaildir ? 'not a Maildir' : each.code))
    const no = 'not a Maildir'
    expect(reasons).toEqual([null, 'ENOENT', no, no, no, null])
    expect([filesIn(join(good, 'new')), filesIn(join(alsoGood, 'new'))]).toEqual([['0'], ['5']])
    expect([good, alsoGood].flatMap((box) => filesIn(join(box, 'tmp')))).toEqual([])
    expect(everything(victim)).toEqual([])
    expect(fs.existsSync(broken[0]!)).toBe(false)
  })

  test('with a name that is taken overwrites nothing and delivers the others to the same Maildir', () => {
    const box = maildirWith({ 'new/1': 'mine' })
    const results = deliverTo([box, box, box])
    expect(results.map((each) => each?.code ?? null)).toEqual([null, 'EEXIST', null])
    expect(filesIn(join(box, 'new'))).toEqual(['0', '1', '2'])
    expect(filesIn(join(box, 'tmp'))).toEqual([])
    const texts = ['0', '1', '2'].map((name) => fs.readFileSync(join(box, 'new', name), 'latin1'))
    expect(texts).toEqual(['a', 'mine', 'c'])
  })

  test('with a draft that exists already touches neither it nor new', () => {
    const box = maildirWith({ 'tmp/draft.0': 'of somebody else' })
    expect(deliverTo([box])).toMatchObject([{ code: 'EEXIST' }])
    expect(fs.readFileSync(join(box, 'tmp/draft.0'), 'latin1')).toBe('of somebody else')
    expect(filesIn(join(box, 'new'))).toEqual([])
  })

  test('leaves no descriptor open, whatever becomes of it', () => {
    const [good, bad] = [maildirWith({ 'new/1': '' }), join(temporaryDirectory(), 'missing')]
    const open = (): number => fs.readdirSync('/proc/self/fd').length
    deliverTo([good, good, bad])
    const before = open()
    for (let i = 0; i < 20; i++) deliverTo([good, good, bad])
    expect(open()).toBe(before)
  })
})

describe('letters delivered at once', () => {
  test('arrive byte for byte, whatever is in them and in however many pieces', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 })
    const many = fc.array(fc.tuple(pieces, fc.nat(2)), { minLength: 1, maxLength: 30 })
    const boxes = [maildirWith(), maildirWith(), maildirWith()]
    const delivery = new Delivery('h')
    const arrives = async (parts: readonly Uint8Array[], box: string): Promise<void> => {
      const buffers = parts.map((part) => Buffer.from(part))
      const whole = Buffer.concat(buffers)
      const one = { size: whole.length, lines: 0, open: () => buffers }
      const path = await delivery.deliver(box, one)
      expect(fs.readFileSync(path)).toEqual(whole)
      expect(path).toContain(`,S=${whole.length},`)
      fs.unlinkSync(path)
    }
    await fc.assert(
      fc.asyncProperty(many, async (letters) => {
        await Promise.all(letters.map(([parts, at]) => arrives(parts, boxes[at]!)))
      }),
      { numRuns: 60 },
    )
    expect(boxes.flatMap(everything)).toEqual([])
  })

  test('that are more than the batches of all threads take all arrive, each in its place', async () => {
    const boxes = Array.from({ length: 7 }, () => maildirWith())
    const delivery = new Delivery('h')
    const texts = Array.from({ length: 1000 }, (_, i) => `number ${i}\n`.repeat(1 + (i % 50)))
    const paths = await Promise.all(
      texts.map((text, i) => delivery.deliver(boxes[i % boxes.length]!, letter(text))),
    )
    expect(new Set(paths).size).toBe(1000)
    for (const [i, path] of paths.entries()) {
      expect(path.startsWith(`${boxes[i % boxes.length]!}/new/`)).toBe(true)
      expect(fs.readFileSync(path, 'latin1')).toBe(texts[i])
    }
    expect(boxes.flatMap((box) => filesIn(join(box, 'tmp')))).toEqual([])
    expect(boxes.flatMap((box) => filesIn(join(box, 'new')))).toHaveLength(1000)
  })

  test.each([131_071, 131_072, 131_073])('of %i bytes arrive whole', async (size) => {
    const text = 'x'.repeat(size)
    const path = await new Delivery('h').deliver(maildirWith(), letter(text))
    expect(fs.readFileSync(path, 'latin1')).toBe(text)
  })

  test('that promise little and never end are refused without being gathered', async () => {
    const box = maildirWith()
    function* endless(): Generator<Buffer, void, void> {
      for (;;) yield Buffer.alloc(1000)
    }
    const lying = { size: 5000, lines: 0, open: endless }
    await expect(new Delivery('h').deliver(box, lying)).rejects.toThrow(WrongSize)
    expect(everything(box)).toEqual([])
  })
})

describe('a thread that dies', () => {
  test('fails the letters that it had, says why, and the next letter gets another thread', async () => {
    const threads = new BatchThreads(DYING)
    const box = maildirWith()
    for (const round of ['a', 'b', 'c']) {
      const doomed = [threads.deliver(order('poison'), hello), threads.deliver(order(box), hello)]
      const failure = { code: null, message: 'poisoned', notAMaildir: false }
      expect(await Promise.all(doomed)).toEqual([failure, failure])
      expect(await threads.deliver(order(box, round), hello)).toBe(null)
    }
    expect(filesIn(join(box, 'new'))).toEqual(['a', 'b', 'c'])
  })

  test('fails no letter of another batch', async () => {
    const threads = new BatchThreads(DYING)
    const box = maildirWith()
    const orders = Array.from({ length: 200 }, (_, i) => order(i === 70 ? 'poison' : box, `${i}`))
    const results = await Promise.all(orders.map((each) => threads.deliver(each, hello)))
    const safe = orders.filter((_, at) => results[at] === null).map(({ name }) => name)
    // The second of four batches died.
    expect(safe).toHaveLength(200 - 64)
    expect(filesIn(join(box, 'new'))).toEqual(safe.toSorted())
  })

  test('before it began fails what waits for it', async () => {
    const nowhere = new BatchThreads(new URL('./no-such-thread.js', import.meta.url))
    expect(await nowhere.deliver(order('box'), hello)).toMatchObject({ code: null })
    const impossible = new BatchThreads(new URL('http://mail.example/thread.js'))
    expect(await impossible.deliver(order('box'), hello)).toMatchObject({ code: null })
  })

  test('is not the only failure: no answer for a letter never means that it is safe', async () => {
    const threads = new BatchThreads(DYING)
    expect(await threads.deliver(order('silence'), hello)).toMatchObject({ code: null })
  })
})

describe('a program that delivers', () => {
  test('ends by itself', async () => {
    const box = maildirWith()
    const script = `await new Delivery('h').deliver(${JSON.stringify(box)}, letter('x'))`
    const child = spawn(process.execPath, program(script), { stdio: 'inherit' })
    const ended = await new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    expect(ended).toEqual({ code: 0, signal: null })
    expect(everything(box)).toHaveLength(1)
  })

  /** Letters of many sizes without end, twenty under way at a time; each is named when it is done. */
  const endlessly = (box: string): string => `
    const delivery = new Delivery('h')
    let next = 0
    const deliver = async () => {
      for (;;) {
        const size = 1 + (next++ * 7919) % 100000
        const path = await delivery.deliver(${JSON.stringify(box)}, letter('x'.repeat(size)))
        process.stdout.write(path + '\\n')
      }
    }
    await Promise.all(Array.from({ length: 20 }, deliver))`

  /** @returns the letters that it said were done before it was killed after that many */
  async function killedAfter(count: number, box: string): Promise<string[]> {
    const child = spawn(process.execPath, program(endlessly(box)), {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const done: string[] = []
    // What stands in the pipe when it dies was said as well.
    for await (const line of createInterface({ input: child.stdout })) {
      done.push(line)
      if (done.length === count) child.kill('SIGKILL')
    }
    return done
  }

  test.each([1, 40, 150, 333])(
    'and is killed after %i letters has lost none that it reported, and shows none in part',
    async (count) => {
      const box = maildirWith()
      const done = await killedAfter(count, box)
      expect(done.length).toBeGreaterThanOrEqual(count)
      const names = filesIn(join(box, 'new'))
      for (const path of done) expect(names).toContain(path.slice(box.length + '/new/'.length))
      for (const name of names) {
        const promised = Number(/,S=(\d+),/.exec(name)![1])
        expect(fs.readFileSync(join(box, 'new', name), 'latin1')).toBe('x'.repeat(promised))
      }
    },
  )
})
