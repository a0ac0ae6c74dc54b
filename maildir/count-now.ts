/**
 * Counts the mail of a Maildir and its folders by the rules of Maildir++:
 * `.Trash` and messages with the flag T are not counted, sizes come from the
 * names (`,S=`) where these tell. Waits for the disk.
 */
import fs from 'node:fs'
import { errorCode } from './errors.js'
import { baseOf } from './names.js'
import { pathOf } from './scan.js'
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

/** What was counted. */
export interface Count {
  readonly usage: Usage
  /** Each directory with the time of its last change before it was read, in nanoseconds. */
  readonly times: ReadonlyMap<string, bigint>
}

/** @throws the system's error when the Maildir itself cannot be read */
export function countNow(maildir: string): Count {
  const times = new Map<string, bigint>()
  let usage = NOTHING
  for (const folder of ['', ...foldersOf(maildir)]) {
    for (const part of ['new', 'cur']) {
      const place = folder === '' ? part : `${folder}/${part}`
      usage = plus(usage, countDirectory(maildir, place, times))
    }
  }
  return { usage, times }
}

/** Whether a directory was changed, or came, since it was counted. */
export function changedSince(maildir: string, { times }: Count): boolean {
  const places = ['', ...foldersOf(maildir)].flatMap((folder) => {
    return folder === '' ? ['new', 'cur'] : [`${folder}/new`, `${folder}/cur`]
  })
  return places.some((place) => timeOf(maildir, place) !== (times.get(place) ?? null))
}

/** What a file adds to its Maildir: nothing if it is flagged T, or gone. `place` as in `Places`. */
export function amountOf(maildir: string, place: string): Usage {
  if (DELETED.test(place)) return NOTHING
  const digits = SIZE.exec(baseOf(place))?.[1]
  if (digits !== undefined) return { bytes: Number(digits), messages: 1 }
  const stats = fs.lstatSync(pathOf(maildir, place), { throwIfNoEntry: false })
  return stats?.isFile() === true ? { bytes: stats.size, messages: 1 } : NOTHING
}

/** Names of the folders below a Maildir, but for the trash. */
function foldersOf(maildir: string): readonly string[] {
  const names = fs.readdirSync(maildir, 'latin1')
  return names.filter((name) => FOLDER.test(name) && name !== TRASH).slice(0, MAX_FOLDERS)
}

function countDirectory(maildir: string, place: string, times: Map<string, bigint>): Usage {
  const time = timeOf(maildir, place)
  if (time === null) return NOTHING
  times.set(place, time)
  let usage = NOTHING
  for (const name of namesIn(maildir, place)) {
    if (!name.startsWith('.')) usage = plus(usage, amountOf(maildir, `${place}/${name}`))
  }
  return usage
}

function namesIn(maildir: string, place: string): readonly string[] {
  try {
    return fs.readdirSync(pathOf(maildir, place), 'latin1')
  } catch (error) {
    if (isFolder(place) && NOT_COUNTED.has(errorCode(error) ?? '')) return []
    throw error
  }
}

/** `null` of what is no directory: a file that begins with a dot, a link to elsewhere. */
function timeOf(maildir: string, place: string): bigint | null {
  try {
    // The folder itself may be a link that leads out of the Maildir.
    if (isFolder(place) && !isDirectory(maildir, place.slice(0, place.lastIndexOf('/'))))
      return null
    const stats = fs.lstatSync(pathOf(maildir, place), { bigint: true, throwIfNoEntry: false })
    return stats?.isDirectory() === true ? stats.mtimeNs : null
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
