/**
 * Takes messages out of `.Trash` again, back into `cur` under their old names,
 * so that POP3 clients know them by their old ids. Waits for the disk: for a
 * program that has nothing else to do.
 */
import fs from 'node:fs'
import { amountOf } from './count-now.js'
import { requireDirectory } from './directories.js'
import { errorCode } from './errors.js'
import { digestOf, HEAD_OCTETS, identityOf } from './identity.js'
import { type KeptUids, readKeptUids } from './kept-uids.js'
import { baseOf, undatedName } from './names.js'
import { safeToRead } from './open-entry.js'
import { fill } from './read-now.js'
import { pathOf } from './scan.js'
import { SizeLine } from './size-file.js'
import { deletedAt, inTrash, unlinkIfThere } from './trash-now.js'
import { possibleUids } from './uids.js'
import { NOTHING, plus } from './usage.js'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants

/** A message in the trash. */
export interface Deleted {
  /** Where it is: `.Trash/cur/name`, a character per byte. */
  readonly place: string
  /** What UIDL may have called it. */
  readonly uids: readonly string[]
  /** Octets of the file. */
  readonly size: number
  /** When it was deleted, milliseconds since 1970. */
  readonly at: number
  /** The beginning of the file, a character per byte. */
  readonly header: string
}

/** All messages in the trash, one at a time, by name. @throws the system's error */
export function* deleted(maildir: string): Generator<Deleted, void, void> {
  requireDirectory(maildir)
  const kept = readKeptUids(maildir)
  for (const place of inTrash(maildir).toSorted()) {
    const message = describe(maildir, place, kept)
    if (message !== null) yield message
  }
}

/**
 * Puts messages back, then makes that durable.
 * @param places as in `Deleted`
 * @returns those that are back; the others are there no longer, or a message of that name is
 * @throws the system's error; those before it are back
 */
export function undelete(maildir: string, places: readonly string[]): readonly string[] {
  for (const each of ['', '/cur']) requireDirectory(`${maildir}${each}`)
  const back: string[] = []
  let added = NOTHING
  for (const place of places) {
    const target = `cur/${nameAgain(place)}`
    if (!moveBack(maildir, place, target)) continue
    back.push(place)
    added = plus(added, amountOf(maildir, target))
  }
  sync(`${maildir}/cur`)
  for (const place of back) unlinkIfThere(pathOf(maildir, place))
  new SizeLine(maildir).write(added)
  return back
}

function describe(maildir: string, place: string, kept: KeptUids | null): Deleted | null {
  const owner = fs.lstatSync(maildir).uid
  let fd: number | null = null
  try {
    fd = fs.openSync(pathOf(maildir, place), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const stats = fs.fstatSync(fd)
    if (!safeToRead(stats, owner)) return null
    const head = headOf(fd)
    const remark = { ...identityOf(stats), digest: digestOf(head, stats.size) }
    const uids = possibleUids({ base: baseOf(oldName(place)), remark }, kept)
    return { place, uids, size: stats.size, at: deletedAt(place, stats), header: headerIn(head) }
  } catch (error) {
    // It was removed for good a moment ago, or is a link.
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes(errorCode(error) ?? '')) return null
    throw error
  } finally {
    if (fd !== null) fs.closeSync(fd)
  }
}

function headOf(fd: number): Buffer {
  const bytes = Buffer.alloc(HEAD_OCTETS)
  return bytes.subarray(0, fill(fd, bytes))
}

function headerIn(head: Buffer): string {
  const text = head.toString('latin1')
  const end = /\r?\n\r?\n/.exec(text)?.index
  return text.slice(0, end)
}

/** What a message in the trash was called before. */
const oldName = (place: string): string => undatedName(place.slice(place.lastIndexOf('/') + 1))

/** Whoever flagged it T meant to delete it; that is over. */
function nameAgain(place: string): string {
  const name = oldName(place)
  const base = baseOf(name)
  const flags = name.slice(base.length)
  return `${base}${flags === '' ? ':2,' : flags.replace(/^(:2,[^,]*?)T/, '$1')}`
}

/** A link, as it replaces nothing: what bears that name is another message, or the same one, back already. */
function moveBack(maildir: string, from: string, to: string): boolean {
  try {
    fs.linkSync(pathOf(maildir, from), pathOf(maildir, to))
    return true
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return false
    if (code === 'EEXIST') return isSame(pathOf(maildir, from), pathOf(maildir, to))
    throw error
  }
}

function isSame(a: string | Buffer, b: string | Buffer): boolean {
  const [one, other] = [fs.lstatSync(a), fs.lstatSync(b)]
  return one.ino === other.ino && one.dev === other.dev
}

function sync(path: string): void {
  const fd = fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    fs.fsyncSync(fd)
  } catch (error) {
    if (errorCode(error) !== 'EINVAL') throw error
  } finally {
    fs.closeSync(fd)
  }
}
