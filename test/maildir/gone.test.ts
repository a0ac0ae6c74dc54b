/** Messages that other programs removed while they were listed: finding that out must not cost a search each. */
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { list, type Listing, MessageGone } from '../../maildir/maildir.js'
import { coarseDisk, maildirOn } from './disks.js'
import { contentAt, maildirWith } from './helpers.js'

/** As many as a client may well ask for in one go. */
const MANY = 40
/** Longer than the times of changes are doubted. */
const SETTLED_MS = 30

afterEach(() => {
  vi.restoreAllMocks()
})

const nameOf = (n: number): string => `${1000 + n}.a.h,W=3`

/** A listing of messages of which all but the last are gone. */
async function listingOfGone(box = maildirWith()): Promise<Listing> {
  const places = Array.from({ length: MANY + 1 }, (_, n) => `new/${nameOf(n)}`)
  for (const place of places) fs.writeFileSync(join(box, place), 'x\n')
  const listing = await list(box)
  for (const place of places.slice(0, MANY)) fs.unlinkSync(join(box, place))
  return listing
}

/** Asks for all of them that are gone. @returns how many folders were read for that */
async function searches(listing: Listing): Promise<number> {
  const readdir = vi.spyOn(fs, 'readdir')
  for (let at = 0; at < MANY; at++)
    await expect(contentAt(listing, at)).rejects.toThrow(MessageGone)
  const count = readdir.mock.calls.length
  readdir.mockRestore()
  return count
}

test('when one is known to be gone, nothing is searched for the others, or for it again', async () => {
  const listing = await listingOfGone()
  await expect(contentAt(listing, 0)).rejects.toThrow(MessageGone)
  await sleep(SETTLED_MS)
  await expect(contentAt(listing, 0)).rejects.toThrow(MessageGone)
  expect(await searches(listing)).toBe(0)
  expect(await searches(listing)).toBe(0)
  expect(await contentAt(listing, MANY)).toBe('x\r\n')
})

/** Of the message at this position, from wherever it is. */
async function reappear(listing: Listing, at: number): Promise<void> {
  const { path } = listing
  fs.writeFileSync(join(path, `cur/${nameOf(at)}:2,S`), 'x\n')
  expect(await contentAt(listing, at)).toBe('x\r\n')
  // Right after that search, again and again: times of change may be equal.
  for (const flags of ['F', 'R', 'S', 'T', '']) {
    const [from] = fs.readdirSync(join(path, 'cur'))
    fs.renameSync(join(path, 'cur', from!), join(path, `cur/${nameOf(at)}:2,${flags}`))
    expect(await contentAt(listing, at)).toBe('x\r\n')
  }
}

test('one that comes back, or is moved a moment after a search, is found', async () => {
  const listing = await listingOfGone()
  await searches(listing)
  await sleep(SETTLED_MS)
  await searches(listing)
  await reappear(listing, 3)
})

test('so it is where times are whole seconds and a change leaves the same one', async (context) => {
  const disk = coarseDisk()
  if (disk === null) return context.skip('only root can mount a disk with times in whole seconds')
  const listing = await listingOfGone(maildirOn(disk))
  await searches(listing)
  await sleep(SETTLED_MS)
  await searches(listing)
  await reappear(listing, 3)
})

test('a Maildir that is gone as a whole says so, however often it was searched', async () => {
  const listing = await listingOfGone()
  await searches(listing)
  fs.rmSync(listing.path, { recursive: true })
  await expect(contentAt(listing, 0)).rejects.toMatchObject({ code: 'ENOENT' })
})
