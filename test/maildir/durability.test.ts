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

/** Delivers all at once, then prints how each ended. Prints the box too, so that the trace shows when. */
const deliverTo = (box: string, count: number): string => `
  const box = ${JSON.stringify(box)}
  const delivery = new Delivery('h')
  const letters = Array.from({ length: ${count} }, (_, i) => letter('number ' + i))
  const results = await Promise.allSettled(letters.map((one) => delivery.deliver(box, one)))
  console.log(results.map(({ reason, status }) => reason?.code ?? status).join(), box)`

describe('a delivery', () => {
  test('writes, syncs, closes, links, syncs the directory, and only then clears tmp and says yes', () => {
    const box = maildirWith()
    const { printed, calls } = trace(deliverTo(box, 1), box)
    expect(printed).toBe(`fulfilled ${box}\n`)
    expect(calls.map((call) => step(call, box))).toEqual([
      'openat tmp/*',
      'write tmp/*',
      'fsync tmp/*',
      'close tmp/*',
      'link new/*',
      'openat new',
      'fsync new',
      'close new',
      'unlink tmp/*',
      'write',
    ])
    expect(calls[0]!.text).toContain('O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW')
    expect(calls[0]!.text).toContain('0600')
    expect(calls.every(({ result }) => !result.startsWith('-1'))).toBe(true)
  })

  test('into a Maildir that is not there makes it durable first, its parent too', () => {
    const parent = temporaryDirectory()
    const { calls } = trace(deliverTo(join(parent, 'box'), 1), parent)
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
    const { calls } = trace(deliverTo(box, 40), box)
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
})

describe('a delivery that the disk fails', () => {
  test.each([
    ['fsync of the file', 'fsync:error=EIO:when=1', 'EIO', ['fsync tmp/*']],
    ['link', 'link:error=ENOSPC:when=1', 'ENOSPC', ['fsync tmp/*']],
    ['fsync of the directory', 'fsync:error=EIO:when=2', 'EIO', ['fsync tmp/*', 'fsync new']],
  ])('at the %s leaves nothing and tries no fsync again', (_, fault, code, syncs) => {
    const box = maildirWith()
    const { printed, calls } = trace(deliverTo(box, 1), box, { inject: [fault], threads: 1 })
    expect(printed).toBe(`${code} ${box}\n`)
    const steps = calls.map((call) => step(call, box))
    expect(steps.filter((each) => each.startsWith('fsync'))).toEqual(syncs)
    expect([...filesIn(join(box, 'new')), ...filesIn(join(box, 'tmp'))]).toEqual([])
  })

  test('at a taken name, tries another; EINVAL for a directory is no failure', () => {
    const box = maildirWith()
    const inject = ['link:error=EEXIST:when=1', 'fsync:error=EINVAL:when=2']
    const { printed, calls } = trace(deliverTo(box, 1), box, { inject, threads: 1 })
    expect(printed).toBe(`fulfilled ${box}\n`)
    const targets = calls
      .filter(({ name }) => name === 'link')
      .map(({ text }) => text.split('"')[3])
    expect(new Set(targets).size).toBe(2)
    expect(filesIn(join(box, 'new'))).toHaveLength(1)
  })

  test('at a name that is always taken, gives up', () => {
    const box = maildirWith()
    const inject = ['link:error=EEXIST']
    const { printed, calls } = trace(deliverTo(box, 1), box, { inject, threads: 1 })
    expect(printed).toBe(`EEXIST ${box}\n`)
    expect(calls.filter(({ name }) => name === 'link')).toHaveLength(3)
    expect(filesIn(join(box, 'tmp'))).toEqual([])
  })
})

describe('a removal', () => {
  const script = (box: string): string => `
    const listing = await list(${JSON.stringify(box)})
    const gone = remove(listing, listing.entries.slice(0, 2))
    console.log((await gone.catch((error) => ({ left: error.code }))).left, ${JSON.stringify(box)})`

  test('unlinks each, then syncs both directories once, then says yes', () => {
    const box = maildirWith({ 'new/1.a.h': 'x', 'cur/2.b.h:2,S': 'y', 'new/3.c.h': 'z' })
    const { printed, calls } = trace(script(box), box)
    expect(printed).toBe(`0 ${box}\n`)
    const steps = calls.map((call) => step(call, box))
    const said = steps.filter((each) => /^(unlink|fsync|write)/.test(each))
    expect(said.slice(0, 2).toSorted()).toEqual(['unlink cur/*', 'unlink new/*'])
    expect(said.slice(2)).toEqual(['fsync new', 'fsync cur', 'write'])
    expect(filesIn(join(box, 'new'))).toEqual(['3.c.h'])
  })

  test('that the disk fails says so and removes nothing else', () => {
    const box = maildirWith({ 'new/1.a.h': 'x', 'new/2.b.h': 'y', 'new/3.c.h': 'z' })
    const failed = trace(script(box), box, { inject: ['unlink:error=EIO:when=1'], threads: 1 })
    expect(failed.printed).toBe(`1 ${box}\n`)
    expect(filesIn(join(box, 'new'))).toEqual(['1.a.h', '3.c.h'])
    const unsynced = trace(script(box), box, { inject: ['fsync:error=EIO:when=1'], threads: 1 })
    expect(unsynced.printed).toBe(`EIO ${box}\n`)
  })
})
