/**
 * Moves messages into `.Trash`, the folder of deleted mail of Maildir++, and
 * empties it by age. Waits for the disk.
 *
 * A message is linked there first and unlinked then: a link never replaces
 * another message and always changes the time of change (ctime), which
 * therefore tells when it was deleted. After a crash between the two it is in
 * both places, and still to be deleted.
 *
 * A file that has names in other Maildirs, too (deliver.ts), changes whenever somebody there
 * moves or deletes the message: of such a file the name tells when it was deleted here.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { TRASH } from './count-now.js'
import { errorCode } from './errors.js'
import { arrivalOf, baseOf, datedName, deletionIn, undatedName, uniquePart } from './names.js'
import { pathOf } from './scan.js'
import type { Path } from './system.js'

/** Messages that are removed for good at a time. */
const MAX_SWEPT = 2_000
/** No room for one more name: the trash must not keep a full disk from being emptied. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EMLINK'])
/** File systems without hard links, and kernels that allow none to files of others. */
const NO_LINKS = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS'])

/** A trash to be emptied. */
export interface Sweep {
  readonly maildir: string
  /** What was deleted before goes; milliseconds since 1970. */
  readonly before: number
}

/** @param place as in `Places` @returns false if nothing is there any more */
export function bury(maildir: string, place: string): boolean {
  const from = pathOf(maildir, place)
  const name = graveName(place.slice(place.indexOf('/') + 1))
  const way = linkInto(maildir, from, isShared(maildir, from, name) ? dated(name) : name)
  if (way === 'linked') return unlinkIfThere(from)
  return way === 'moved'
}

/** @returns how many messages were removed for good; there may be more */
export function sweepNow({ maildir, before }: Sweep): number {
  let removed = 0
  for (const place of inTrash(maildir)) {
    if (removed >= MAX_SWEPT) break
    if (cameLater(place, before)) continue
    const path = pathOf(maildir, place)
    const stats = fs.lstatSync(path, { throwIfNoEntry: false })
    if (stats?.isFile() !== true || deletedAt(place, stats) >= before) continue
    if (unlinkIfThere(path)) removed++
  }
  return removed
}

/** When a message in the trash was deleted, in milliseconds since 1970. */
export function deletedAt(place: string, { ctimeMs }: fs.Stats): number {
  return Math.min(deletionIn(baseOf(place)) ?? ctimeMs, ctimeMs)
}

/** All places in the trash, such as `.Trash/cur/name`. */
export function inTrash(maildir: string): readonly string[] {
  if (!hasTrash(maildir)) return []
  return ['new', 'cur'].flatMap((part) => {
    const names = fs.readdirSync(`${maildir}/${TRASH}/${part}`, 'latin1')
    const messages = names.filter((name) => !name.startsWith('.'))
    return messages.map((name) => `${TRASH}/${part}/${name}`)
  })
}

/** @returns false if it was not there */
export function unlinkIfThere(path: Path): boolean {
  try {
    fs.unlinkSync(path)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Whether it is there: not through a link, and not half made. Costs microseconds in a Maildir just used. */
export function hasTrash(maildir: string): boolean {
  return ['', '/tmp', '/new', '/cur'].every((part) => {
    const stats = fs.lstatSync(`${maildir}/${TRASH}${part}`, { throwIfNoEntry: false })
    return stats?.isDirectory() === true
  })
}

/** Then it cannot have been deleted before, and need not be looked at. */
function cameLater(place: string, before: number): boolean {
  const { seconds } = arrivalOf(place.slice(place.lastIndexOf('/') + 1))
  return seconds !== Infinity && seconds * 1000 >= before
}

/** In `cur` a name has flags, if none at all. Another program may have brought it back as it was in the trash. */
function graveName(name: string): string {
  const plain = undatedName(name)
  return plain.includes(':') ? plain : `${plain}:2,`
}

const dated = (name: string): string => datedName(name, Date.now())

/** Whether the file has other names than this one and the one that it may have in the trash already. */
function isShared(maildir: string, from: Path, name: string): boolean {
  const stats = fs.lstatSync(from, { throwIfNoEntry: false })
  if (stats === undefined || stats.nlink === 1) return false
  return !(isThere(grave(maildir, name)) && sameFile(from, grave(maildir, name)))
}

function linkInto(maildir: string, from: Path, name: string): 'linked' | 'moved' | 'absent' {
  try {
    linkFresh(maildir, from, name)
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (code === 'ENOENT' && !isThere(from)) return 'absent'
    if (NO_LINKS.has(code)) return rename(maildir, from, name)
    // It goes for good then, as its owner wanted.
    if (!NO_ROOM.has(code)) throw error
  }
  return 'linked'
}

/** Another message may have borne that name: MH numbers its files, again and again. */
function linkFresh(maildir: string, from: Path, name: string): void {
  try {
    fs.linkSync(from, grave(maildir, name))
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    if (sameFile(from, grave(maildir, name))) return
    fs.linkSync(from, grave(maildir, renamed(name)))
  }
}

/** What was linked by a session that died before it could unlink. */
function sameFile(a: Path, b: Path): boolean {
  const [one, other] = [fs.lstatSync(a), fs.lstatSync(b)]
  return one.ino === other.ino && one.dev === other.dev
}

function rename(maildir: string, from: Path, name: string): 'moved' {
  fs.renameSync(from, grave(maildir, isThere(grave(maildir, name)) ? renamed(name) : name))
  return 'moved'
}

const isThere = (path: Path): boolean => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined

function renamed(name: string): string {
  const unique = uniquePart(baseOf(name))
  return `${unique}.${randomBytes(4).toString('hex')}${name.slice(unique.length)}`
}

const grave = (maildir: string, name: string): Path => pathOf(maildir, `${TRASH}/cur/${name}`)
