/**
 * Counts the mail of a Maildir and its folders by the rules of Maildir++:
 * `.Trash` and messages with the flag T are not counted, sizes come from the
 * names (`,S=`) where these tell. Waits for the disk.
 */
import fs from 'node:fs'
import { crc32 } from 'node:zlib'
import { errorCode } from './errors.js'
import { baseOf } from './names.js'
import { pathOf } from './scan.js'
import { old, same, type Stamp, stampIn } from './stamps.js'
import { NOTHING, plus, type Usage } from './usage.js'

export const TRASH = '.Trash'
/** Folders of one Maildir that are counted. */
const MAX_FOLDERS = 10_000
const SIZE = /,S=([0-9]{1,15})(?=,|$)/
const DELETED = /:2,[^,]*T/
/** Not one dot, not two. */
const FOLDER = /^\.[^.]/
/** What is wrong with one folder must not stop mail to the others. */
const NOT_COUNTED = new Set(['EACCES', 'ENOENT', 'ENOTDIR', 'EPERM', 'ELOOP'])

/** What was seen of a directory. */
interface Seen {
  /** From before it was read. */
  readonly stamp: Stamp
  /** A checksum of all names, in the order in which the system told them. */
  readonly names: number
}

/** What was counted. */
export interface Count {
  readonly usage: Usage
  /** Each directory by its place, such as `.Sent/cur`. */
  readonly seen: ReadonlyMap<string, Seen>
}

/** @throws the system's error when the Maildir itself cannot be read */
export function countNow(maildir: string): Count {
  const seen = new Map<string, Seen>()
  let usage = NOTHING
  for (const place of placesOf(maildir)) {
    const stamp = stampOf(maildir, place)
    if (stamp === null) continue
    const names = namesIn(maildir, place)
    seen.set(place, { stamp, names: checksum(names) })
    for (const name of names) {
      if (!name.startsWith('.')) usage = plus(usage, amountOf(maildir, `${place}/${name}`))
    }
  }
  return { usage, seen }
}

/**
 * Whether a directory was changed, or came or went, since it was counted.
 * Where a change could hide behind an equal time, its names are read again.
 * @param began when the count began, by the clock of the file system, in
 *   nanoseconds since 1970; `null` if nobody can tell
 */
export function changedSince(maildir: string, { seen }: Count, began: bigint | null): boolean {
  const places = new Set([...seen.keys(), ...placesOf(maildir)])
  return [...places].some((place) => {
    const [before, now] = [seen.get(place), stampOf(maildir, place)]
    if (before === undefined || now === null) return before !== undefined || now !== null
    if (!same(before.stamp, now)) return true
    if (began !== null && old(before.stamp, began)) return false
    return checksum(namesIn(maildir, place)) !== before.names
  })
}

/** What a file adds to its Maildir: nothing if it is flagged T, or gone. `place` as in `Places`. */
export function amountOf(maildir: string, place: string): Usage {
  if (DELETED.test(place)) return NOTHING
  const digits = SIZE.exec(baseOf(place))?.[1]
  if (digits !== undefined) return { bytes: Number(digits), messages: 1 }
  const stats = fs.lstatSync(pathOf(maildir, place), { throwIfNoEntry: false })
  return stats?.isFile() === true ? { bytes: stats.size, messages: 1 } : NOTHING
}

/** All that is counted: `new` and `cur` of the Maildir, and of the folders below it but for the trash. */
function placesOf(maildir: string): readonly string[] {
  const names = fs.readdirSync(maildir, 'latin1')
  const folders = names.filter((name) => FOLDER.test(name) && name !== TRASH).slice(0, MAX_FOLDERS)
  return ['new', 'cur', ...folders.flatMap((folder) => [`${folder}/new`, `${folder}/cur`])]
}

const checksum = (names: readonly string[]): number => crc32(names.join('/'))

function namesIn(maildir: string, place: string): readonly string[] {
  try {
    return fs.readdirSync(pathOf(maildir, place), 'latin1')
  } catch (error) {
    if (isFolder(place) && NOT_COUNTED.has(errorCode(error) ?? '')) return []
    throw error
  }
}

/** `null` of what is no directory: a file that begins with a dot, a link to elsewhere. */
function stampOf(maildir: string, place: string): Stamp | null {
  try {
    // The folder itself may be a link that leads out of the Maildir.
    if (isFolder(place) && !isDirectory(maildir, place.slice(0, place.lastIndexOf('/'))))
      return null
    const stats = fs.lstatSync(pathOf(maildir, place), { bigint: true, throwIfNoEntry: false })
    return stats?.isDirectory() === true ? stampIn(stats) : null
  } catch (error) {
    if (isFolder(place) && NOT_COUNTED.has(errorCode(error) ?? '')) return null
    throw error
  }
}

function isDirectory(maildir: string, place: string): boolean {
  const stats = fs.lstatSync(pathOf(maildir, place), { throwIfNoEntry: false })
  return stats?.isDirectory() === true
}

const isFolder = (place: string): boolean => place.startsWith('.')
