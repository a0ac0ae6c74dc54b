import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Content,
  list,
  type Listing,
  MessageGone,
  MessageUnsafe,
  read,
  WrongSize,
} from '../../maildir/maildir.js'
import { contentAt, maildirWith, textOf } from './helpers.js'

const COUNT = 80

/** The content of each is its own, and some are large. */
const contentOf = (n: number): string =>
  `message ${n}\n`.repeat(n % 13 === 0 ? 9_000 : 1 + (n % 40))
const wire = (n: number): string => contentOf(n).replaceAll('\n', '\r\n')
const nameOf = (n: number): string => `${1000 + n}.m.h`

const full = (): string =>
  maildirWith(
    Object.fromEntries(Array.from({ length: COUNT }, (_, n) => [`new/${nameOf(n)}`, contentOf(n)])),
  )

async function readTo(listing: Listing, last: number): Promise<void> {
  for (let n = 0; n <= last; n++) expect(await contentAt(listing, n)).toBe(wire(n))
}

test('in whatever order messages are read, and however many at once, each is itself', async () => {
  const box = full()
  const runs = fc.array(fc.tuple(fc.nat(COUNT - 1), fc.integer({ min: 1, max: 30 })), {
    minLength: 1,
    maxLength: 8,
  })
  await fc.assert(
    fc.asyncProperty(runs, fc.boolean(), async (all, atOnce) => {
      const listing = await list(box)
      const wanted = all.flatMap(([from, length]) =>
        Array.from({ length }, (_, n) => (from + n) % COUNT),
      )
      const reads = atOnce
        ? await Promise.all(wanted.map((n) => contentAt(listing, n)))
        : await wanted.reduce<Promise<string[]>>(
            async (before, n) => [...(await before), await contentAt(listing, n)],
            Promise.resolve([]),
          )
      expect(reads.every((text, at) => text === wire(wanted[at]!))).toBe(true)
    }),
    { numRuns: 40 },
  )
})

test('messages that move while others are read ahead are found again', async () => {
  const box = full()
  const listing = await list(box)
  await readTo(listing, 5)
  for (let n = 40; n < COUNT; n++) {
    fs.renameSync(join(box, 'new', nameOf(n)), join(box, 'cur', `${nameOf(n)}:2,S`))
  }
  for (let n = 6; n < COUNT; n++) expect(await contentAt(listing, n)).toBe(wire(n))
})

test('one that vanished, lies or is unsafe says so, and those around it are served', async () => {
  const box = full()
  const listing = await list(box)
  fs.unlinkSync(join(box, 'new', nameOf(1)))
  fs.writeFileSync(join(box, 'new', nameOf(2)), 'longer or shorter')
  fs.unlinkSync(join(box, 'new', nameOf(3)))
  fs.symlinkSync('/etc/passwd', join(box, 'new', nameOf(3)))
  expect(await contentAt(listing, 0)).toBe(wire(0))
  await expect(contentAt(listing, 1)).rejects.toThrow(MessageGone)
  await expect(contentAt(listing, 2)).rejects.toThrow(WrongSize)
  await expect(contentAt(listing, 3)).rejects.toThrow(MessageUnsafe)
  for (let n = 4; n < COUNT; n++) expect(await contentAt(listing, n)).toBe(wire(n))
})

test('a new session does not get what was read for the one before', async () => {
  const box = full()
  await readTo(await list(box), 3)
  fs.writeFileSync(join(box, 'new', nameOf(4)), contentOf(4).replaceAll('message', 'changed'))
  const listing = await list(box)
  expect(await contentAt(listing, 4)).toBe(wire(4).replaceAll('message', 'changed'))
})

test('memory is used again, and never that of a message not yet passed on, or kept', async () => {
  const box = full()
  const kept = new Map<number, Content>()
  for (let round = 0; round < 3; round++) {
    const listing = await list(box)
    for (let n = 0; n < COUNT; n++) {
      const keep = (n + round) % 7 === 0
      const content = await read(listing, listing.entries[n]!, keep ? 'kept' : 'passed')
      if (!keep) expect(await passedOn(content)).toBe(wire(n))
      else if (Array.isArray(content)) kept.set(n, content)
    }
  }
  for (const [n, content] of kept) expect(await textOf(content)).toBe(wire(n))
})

/** Looks at each piece before it asks for the next. */
async function passedOn(content: Content): Promise<string> {
  let text = ''
  for await (const piece of content) text += piece.toString('latin1')
  return text
}
