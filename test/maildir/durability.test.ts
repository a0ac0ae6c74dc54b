/** The order of system calls that lets a message survive a power cut, seen from outside. */
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { filesIn, maildirWith, temporaryDirectory } from './helpers.js'
import { type Call, trace, untraceable } from './traced.js'

const reason = untraceable()

beforeEach((context) => {
  if (reason !== null) context.skip(reason)
})

/** The call with what it was about: `fsync new`, `link new`; the names of messages left out. */
function step(call: Call, box: string): string {
  const paths = [...call.text.matchAll(/["<]([^">]*)[">]/g)].map(([, path]) => path!)
  const last = paths.findLast((path) => path.startsWith(box)) ?? ''
  const place = last.slice(box.length + 1).replace(/\/.*/, '/*')
  return `${call.name} ${place}`.trim()
}

/** A way that letters take. */
interface Way {
  readonly way: string
  /** What makes the script's i-th letter. */
  readonly make: string
  /** A letter done again is written again, and its file synced again. */
  readonly rewrites: boolean
}

const WAYS: readonly Way[] = [
  { way: 'small and in memory', make: `letter('number ' + i)`, rewrites: true },
  { way: 'a stream', make: `streamed('number ' + i)`, rewrites: false },
  { way: 'large', make: `letter('number ' + i + ' '.repeat(2097152))`, rewrites: false },
  { way: 'in a file', make: `filed('number ' + i)`, rewrites: true },
]

/** Delivers one letter to each box at once, then prints how each ended, and a box, so that the trace shows when. */
const deliver = ({ make }: Way, boxes: readonly string[]): string => `
  const boxes = ${JSON.stringify(boxes)}
  const delivery = new Delivery('h')
  const results = await Promise.allSettled(boxes.map((box, i) => delivery.deliver(box, ${make})))
  console.log(results.map(({ reason, status }) => reason?.code ?? status).join(), boxes[0])`

const everything = (box: string): string[] => [
  ...filesIn(join(box, 'new')),
  ...filesIn(join(box, 'tmp')),
]

describe.each(WAYS)('a delivery of what is $way', (way) => {
  test('writes, syncs, closes, links, syncs the directory, and only then clears tmp and says yes', () => {
    const box = maildirWith()
    const { printed, calls } = trace(deliver(way, [box]), box)
    expect(printed).toBe(`fulfilled ${box}\n`)
    const steps = calls.map((call) => step(call, box))
    expect(steps.filter((each) => each !== 'openat new')).toEqual([
      'openat tmp/*',
      'write tmp/*',
      'fsync tmp/*',
      'close tmp/*',
      'link new/*',
      'fsync new',
      'close new',
      'unlink tmp/*',
      'write',
    ])
    const fresh = calls.find((call) => step(call, box) === 'openat tmp/*')!
    expect(fresh.text).toContain('O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW')
    expect(fresh.text).toContain('0600')
    expect(calls.every(({ result }) => !result.startsWith('-1'))).toBe(true)
    // Not only written one after the other: each began when the one before had ended.
    expect(calls.slice(1).every(({ began }, at) => began > calls[at]!.ended)).toBe(true)
  })

  test('into a Maildir that is not there makes it durable first, its parent too', () => {
    const parent = temporaryDirectory()
    const { printed, calls } = trace(deliver(way, [join(parent, 'box')]), parent)
    expect(printed).toContain('fulfilled')
    const steps = calls.map((call) => step(call, parent))
    const done = steps.indexOf('openat box/*', 1 + steps.indexOf('mkdir box/*'))
    const preparing = steps.slice(0, done).filter((each) => /^(mkdir|fsync)/.test(each))
    expect(preparing).toEqual([
      'mkdir box',
      'mkdir box/*',
      'mkdir box/*',
      'fsync box',
      'fsync',
      'mkdir box/*',
    ])
  })

  test('among many shares a directory fsync, but never one that began before its link ended', () => {
    const box = maildirWith()
    const { calls } = trace(deliver(way, Array<string>(40).fill(box)), box)
    const links = calls.filter(({ name }) => name === 'link')
    const syncs = calls.filter((call) => step(call, box) === 'fsync new')
    const unlinks = calls.filter(({ name }) => name === 'unlink')
    expect([links.length, unlinks.length]).toEqual([40, 40])
    expect(syncs.length).toBeLessThan(40)
    for (const link of links) {
      const tmp = /link\("([^"]+)"/.exec(link.text)![1]!
      const unlink = unlinks.find(({ text }) => text.includes(tmp))!
      const serving = syncs.filter(({ began, ended }) => began > link.ended && ended < unlink.began)
      expect(serving.length, tmp).toBeGreaterThan(0)
    }
  })

  test.each([
    ['fsync of the file', 'fsync:error=EIO:when=1', 'EIO', ['fsync tmp/*']],
    ['link', 'link:error=ENOSPC:when=1', 'ENOSPC', ['fsync tmp/*']],
    ['fsync of the directory', 'fsync:error=EIO:when=2', 'EIO', ['fsync tmp/*', 'fsync new']],
  ])('that fails at the %s leaves nothing and tries no fsync again', (_, fault, code, syncs) => {
    const box = maildirWith()
    const { printed, calls } = trace(deliver(way, [box]), box, { inject: [fault], threads: 1 })
    expect(printed).toBe(`${code} ${box}\n`)
    const steps = calls.map((call) => step(call, box))
    expect(steps.filter((each) => each.startsWith('fsync'))).toEqual(syncs)
    expect(everything(box)).toEqual([])
  })

  test('at a taken name, tries another; EINVAL for a directory is no failure', () => {
    const box = maildirWith()
    const inject = ['link:error=EEXIST:when=1', `fsync:error=EINVAL:when=${way.rewrites ? 3 : 2}`]
    const { printed, calls } = trace(deliver(way, [box]), box, { inject, threads: 1 })
    expect(printed).toBe(`fulfilled ${box}\n`)
    const targets = calls
      .filter(({ name }) => name === 'link')
      .map(({ text }) => text.split('"')[3])
    expect(new Set(targets).size).toBe(2)
    const refused = calls.filter(({ result }) => result.startsWith('-1 EINVAL'))
    expect(refused.map((call) => step(call, box))).toEqual(['fsync new'])
    expect(filesIn(join(box, 'new'))).toHaveLength(1)
  })

  test('EINVAL for a file is a failure', () => {
    const box = maildirWith()
    const inject = ['fsync:error=EINVAL:when=1']
    const { printed } = trace(deliver(way, [box]), box, { inject, threads: 1 })
    expect(printed).toBe(`EINVAL ${box}\n`)
    expect(everything(box)).toEqual([])
  })

  test('at a name that is always taken, gives up', () => {
    const box = maildirWith()
    const inject = ['link:error=EEXIST']
    const { printed, calls } = trace(deliver(way, [box]), box, { inject, threads: 1 })
    expect(printed).toBe(`EEXIST ${box}\n`)
    expect(calls.filter(({ name }) => name === 'link')).toHaveLength(3)
    expect(everything(box)).toEqual([])
  })

  test('that is safe is not denied because its draft cannot be cleared away', () => {
    const box = maildirWith()
    const inject = ['unlink:error=EIO']
    const { printed } = trace(deliver(way, [box]), box, { inject, threads: 1 })
    expect(printed).toBe(`fulfilled ${box}\n`)
    expect(filesIn(join(box, 'new'))).toHaveLength(1)
  })
})

describe('a batch for three Maildirs', () => {
  // The thread syncs the three files, then the three directories.
  test.each([
    ['the file', 'fsync:error=ENOSPC:when=2', 5],
    ['the link', 'link:error=ENOSPC:when=2', 5],
    ['the directory', 'fsync:error=ENOSPC:when=5', 6],
  ])('fails only for the one that has no room for %s', (_, fault, fsyncs) => {
    const boxes = [maildirWith(), maildirWith(), maildirWith()]
    const scope = join(boxes[0]!, '..', '..')
    const { printed, calls } = trace(deliver(WAYS[0]!, boxes), scope, { inject: [fault] })
    expect(printed).toBe(`fulfilled,ENOSPC,fulfilled ${boxes[0]}\n`)
    expect(calls.filter(({ name }) => name === 'fsync')).toHaveLength(fsyncs)
    expect(boxes.map((box) => filesIn(join(box, 'new')).length)).toEqual([1, 0, 1])
    expect(boxes.flatMap((box) => filesIn(join(box, 'tmp')))).toEqual([])
  })
})

describe('a removal', () => {
  const script = (box: string): string => `
    const listing = await list(${JSON.stringify(box)})
    const gone = remove(listing, listing.entries.slice(0, 2))
    console.log((await gone.catch((error) => ({ left: error.code }))).left, ${JSON.stringify(box)})`

  test('unlinks each, then syncs both directories once, then says yes', () => {
    // Names that tell their sizes: no index is written that would be in the trace.
    const box = maildirWith({
      'new/1.a.h,W=1': 'x',
      'cur/2.b.h,W=1:2,S': 'y',
      'new/3.c.h,W=1': 'z',
    })
    const { printed, calls } = trace(script(box), box)
    expect(printed).toBe(`0 ${box}\n`)
    const steps = calls.map((call) => step(call, box))
    // A listing may have asked the file system for the time, by a file in tmp.
    const said = steps.filter((each) => /^(unlink (new|cur)|fsync|write)/.test(each))
    expect(said.slice(0, 2).toSorted()).toEqual(['unlink cur/*', 'unlink new/*'])
    expect(said.slice(2)).toEqual(['fsync new', 'fsync cur', 'write'])
    expect(filesIn(join(box, 'new'))).toEqual(['3.c.h,W=1'])
  })

  test('that the disk fails says so and removes nothing else', () => {
    const box = maildirWith({ 'new/1.a.h': 'x', 'new/2.b.h': 'y', 'new/3.c.h': 'z' })
    // The first is of the file by which the listing asked for the time.
    const failed = trace(script(box), box, { inject: ['unlink:error=EIO:when=2'], threads: 1 })
    expect(failed.printed).toBe(`1 ${box}\n`)
    expect(filesIn(join(box, 'new'))).toEqual(['1.a.h', '3.c.h'])
    const unsynced = trace(script(box), box, { inject: ['fsync:error=EIO:when=1'], threads: 1 })
    expect(unsynced.printed).toBe(`EIO ${box}\n`)
  })
})
