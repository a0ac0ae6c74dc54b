import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PieceReader } from '../../maildir/pieces.js'
import { maildirWith } from './helpers.js'

const OCTETS = 1_048_576
/** Octets of the file in a piece. */
const PIECE = 131_072
const CLIENTS = 20
/** Of those at most so many have a piece lying ready. */
const MAX_AHEAD = 16

const KNOWS_POSITIONS = fs.existsSync('/proc/self/fdinfo')

function file(): number {
  const box = maildirWith({ 'new/1.a.h': 'x'.repeat(OCTETS), 'new/2.b.h': 'other' })
  return fs.openSync(join(box, 'new/1.a.h'), 'r')
}

/** How many octets of the file were read. */
function position(fd: number): number {
  return Number(/^pos:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1])
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('who wants no more than the first piece has no more read', async (context) => {
  if (!KNOWS_POSITIONS) context.skip('/proc tells how far a file was read')
  const fd = file()
  const reader = new PieceReader(fd, 'kept')
  await reader.next()
  expect(position(fd)).toBe(PIECE)
  // Who wants two wants the third.
  await reader.next()
  await until(() => position(fd) === 3 * PIECE)
  await reader.close()
})

test('of many clients who stop reading only some have a piece lying ready', async (context) => {
  if (!KNOWS_POSITIONS) context.skip('/proc tells how far a file was read')
  const fds = Array.from({ length: CLIENTS }, file)
  const readers = fds.map((fd) => new PieceReader(fd, 'kept'))
  for (const reader of readers) await reader.next()
  for (const reader of readers) await reader.next()
  const ahead = (): number => fds.filter((fd) => position(fd) > 2 * PIECE).length
  await until(() => ahead() >= MAX_AHEAD)
  // One that is asked for is read all the same.
  expect((await readers.at(-1)!.next())?.length).toBe(PIECE)
  expect(position(fds.at(-1)!)).toBe(3 * PIECE)
  expect(ahead()).toBe(MAX_AHEAD + 1)
  await Promise.all(readers.map((reader) => reader.close()))
  const [next] = [new PieceReader(file(), 'kept')]
  for (let n = 0; n < OCTETS / PIECE; n++) expect((await next.next())?.length).toBe(PIECE)
  expect((await next.next())?.length).toBe(0)
  expect(await next.next()).toBeNull()
  await next.close()
})

test('a file is closed when nothing reads in it any more', async () => {
  const fd = file()
  const reader = new PieceReader(fd, 'passed')
  await reader.next()
  await reader.next()
  await reader.close()
  // It gets the number of the one that was just closed, and is read from its beginning.
  const other = fs.openSync(import.meta.filename, 'r')
  expect(other).toBe(fd)
  expect(fs.readFileSync(other, 'utf8')).toMatch(/^import fs/)
  fs.closeSync(other)
})

test('an error of the system is told to whoever asks', async () => {
  const reader = new PieceReader(fs.openSync(maildirWith(), 'r'), 'kept')
  await expect(reader.next()).rejects.toThrow('EISDIR')
  await reader.close()
})
