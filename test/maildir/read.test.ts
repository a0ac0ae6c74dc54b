import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { list, MessageGone, MessageUnsafe, read, WrongSize } from '../../maildir/maildir.js'
import { contentAt, maildirWith, textOf } from './helpers.js'

const BIG = 200_000

/** Every line ends, the last one, too. */
function naive(text: string): string {
  const wire = text.replaceAll(/\r?\n/g, '\r\n')
  return text === '' || text.endsWith('\n') ? wire : `${wire}\r\n`
}

/** Content around the sizes at which reading changes its ways. */
const content = fc
  .tuple(
    fc.array(fc.constantFrom('\n', '\r', '\r\n', 'a', '.', '\u0000', '\u00ff'), { maxLength: 60 }),
    fc.constantFrom(0, 1, 65_534, 65_535, 65_536, 65_537, 131_071, 131_072),
  )
  .map(([parts, pad]) => `${'p'.repeat(pad)}${parts.join('')}`)

test('any content comes with CR LF line ends and exactly the octets listed', async () => {
  await fc.assert(
    fc.asyncProperty(content, async (text) => {
      const box = maildirWith({ 'new/1.a.h': text })
      const listing = await list(box)
      const got = await contentAt(listing, 0)
      expect(got === naive(text)).toBe(true)
      expect(got.length).toBe(listing.entries[0]!.size)
    }),
    { numRuns: 150 },
  )
})

test.each([
  ['small', 'small\n'],
  ['large', 'l\n'.repeat(BIG)],
])('a %s message is found again after a move and a change of flags', async (_, text) => {
  const box = maildirWith({ 'new/1.a.h': text })
  const listing = await list(box)
  fs.renameSync(join(box, 'new/1.a.h'), join(box, 'cur/1.a.h:2,S'))
  expect(await contentAt(listing, 0)).toBe(naive(text))
  fs.renameSync(join(box, 'cur/1.a.h:2,S'), join(box, 'cur/1.a.h:2,RS'))
  expect(await contentAt(listing, 0)).toBe(naive(text))
})

test('a large message that moves after it was opened is still read', async () => {
  const box = maildirWith({ 'new/1.a.h': 'l\n'.repeat(BIG) })
  const listing = await list(box)
  const opened = await read(listing, listing.entries[0]!)
  fs.renameSync(join(box, 'new/1.a.h'), join(box, 'cur/1.a.h:2,S'))
  expect((await textOf(opened)).length).toBe(3 * BIG)
})

test('a message that vanished is gone, and the others are still there', async () => {
  const box = maildirWith({ 'new/1.a.h': 'x', 'new/2.b.h': 'y' })
  const listing = await list(box)
  fs.unlinkSync(join(box, 'new/1.a.h'))
  await expect(contentAt(listing, 0)).rejects.toThrow(MessageGone)
  expect(await contentAt(listing, 1)).toBe('y\r\n')
})

test.each([
  ['a directory', (path: string) => fs.mkdirSync(path)],
  ['a FIFO', (path: string) => void execFileSync('mkfifo', [path])],
  ['a symbolic link', (path: string) => fs.symlinkSync('/etc/passwd', path)],
])('%s under the name of a message is never read', async (_, make) => {
  const box = maildirWith()
  make(join(box, 'new/1.a.h,W=5'))
  const listing = await list(box)
  expect(listing.entries).toHaveLength(1)
  await expect(contentAt(listing, 0)).rejects.toThrow(MessageUnsafe)
})

test('a hard link to a file of another owner is never read', async (context) => {
  if (process.getuid?.() !== 0) context.skip('only root can give a file to another owner')
  const box = maildirWith({ 'new/1.a.h,W=1': 'x', 'new/2.b.h,W=1': 'y' })
  const secret = join(box, '..', 'secret')
  fs.linkSync(join(box, 'new/1.a.h,W=1'), secret)
  fs.chownSync(secret, 12_345, 12_345)
  // A single file of another owner is no link: mail was given to the box by hand.
  fs.chownSync(join(box, 'new/2.b.h,W=1'), 12_345, 12_345)
  const listing = await list(box)
  await expect(contentAt(listing, 0)).rejects.toThrow(MessageUnsafe)
  expect(await contentAt(listing, 1)).toBe('y')
})

test('a hard link within one owner is read: backups make such links', async () => {
  const box = maildirWith({ 'new/1.a.h': 'x' })
  fs.linkSync(join(box, 'new/1.a.h'), join(box, '..', 'backup'))
  expect(await contentAt(await list(box), 0)).toBe('x\r\n')
})

test('a directory swapped for a link to another Maildir is not followed', async () => {
  const box = maildirWith({ 'new/1.a.h,W=1': 'x' })
  const victim = maildirWith({ 'new/1.a.h,W=1': 's' })
  const listing = await list(box)
  fs.rmSync(join(box, 'new'), { recursive: true })
  fs.symlinkSync(join(victim, 'new'), join(box, 'new'))
  await expect(contentAt(listing, 0)).rejects.toThrow(/not a directory/)
})

test.each([
  ['small', 10],
  ['large', BIG],
])(
  'a %s message whose name lies about its size never sends more than listed',
  async (_, length) => {
    for (const listed of [length - 1, length + 1]) {
      const box = maildirWith({ [`new/1.a.h,W=${listed}`]: 'x'.repeat(length) })
      const listing = await list(box)
      let sent = 0
      const sending = async (): Promise<void> => {
        for await (const piece of await read(listing, listing.entries[0]!)) sent += piece.length
      }
      await expect(sending()).rejects.toThrow(WrongSize)
      expect(sent).toBeLessThanOrEqual(listed)
    }
  },
)

test('no file stays open, whether the reader stops early or never starts', async (context) => {
  if (!fs.existsSync('/proc/self/fd')) context.skip('open files can only be counted in /proc')
  const box = maildirWith({ 'new/1.a.h': 'l\n'.repeat(BIG), 'new/2.b.h': 's' })
  const listing = await list(box)
  await read(listing, listing.entries[0]!)
  await read(listing, listing.entries[1]!)
  for await (const piece of await read(listing, listing.entries[0]!)) {
    expect(piece.length).toBeGreaterThan(0)
    break
  }
  const open = fs.readdirSync('/proc/self/fd').map((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  expect(open.filter((path) => path.startsWith(box))).toEqual([])
})

test('names that are not UTF-8 can be read', async () => {
  const box = maildirWith()
  fs.writeFileSync(Buffer.from(`${box}/new/1.caf\u00e9`, 'latin1'), 'x\n')
  expect(await contentAt(await list(box), 0)).toBe('x\r\n')
})
