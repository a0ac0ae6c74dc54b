/**
 * Ids that clients know from another server: one file per Maildir,
 * `mailtap-uidl`, made when the Maildir is taken over. It is no cache: without
 * it every client would fetch all its mail again.
 *
 * After the first line, `mailtap-uidl 1`, it has a line for each message, in
 * the order in which the other server listed them: key, space, id. The key is
 * the unique part of the message's name, or all of it without flags where two
 * messages share that part; what is no printable ASCII in it is written `%XX`.
 * Messages that are not in it come after those that are, with ids of our own.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { requireDirectory } from './directories.js'
import { MaildirFault } from './errors.js'
import { uniquePart } from './names.js'
import { openFresh, syncDirectory, syncFile, writeAll } from './system.js'

const NAME = 'mailtap-uidl'
const HEADER = 'mailtap-uidl 1'
/** More than a million of the longest lines in common use. */
const MAX_OCTETS = 400_000_000
const LINE = /^([!-~]{1,765}) ([!-~]{1,127})$/
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants

/**
 * What can be kept. RFC 1939 allows 70 characters; servers whose ids are file
 * names have told their clients longer ones, and those know no others.
 */
const KEEPABLE = /^[!-~]{1,127}$/

/** Key → id, in the order of the listing. Every id is there once. */
export type KeptUids = ReadonlyMap<string, string>

/** The file of kept ids is not in its form, or not a file of this Maildir. */
export class KeptUidsBroken extends MaildirFault {
  override readonly name = 'KeptUidsBroken'
}

export const keptUidsPath = (maildir: string): string => `${maildir}/${NAME}`

export const keepable = (uid: string): boolean => KEEPABLE.test(uid)

/**
 * Reads the kept ids, waiting for the disk.
 * @returns `null` if there are none
 * @throws KeptUidsBroken: to go on without them would cost the clients more than to wait; or the
 *   system's error
 */
export function readKeptUids(maildir: string): KeptUids | null {
  const path = keptUidsPath(maildir)
  const stats = fs.lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return null
  if (!stats.isFile()) throw new KeptUidsBroken(`${path}: not a regular file`)
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const { nlink, size } = fs.fstatSync(fd)
    if (nlink !== 1) throw new KeptUidsBroken(`${path}: a hard link`)
    if (size > MAX_OCTETS) throw new KeptUidsBroken(`${path}: longer than ${MAX_OCTETS} octets`)
    return parseKeptUids(fs.readFileSync(fd, 'latin1'), path)
  } finally {
    fs.closeSync(fd)
  }
}

/** @throws KeptUidsBroken */
export function parseKeptUids(text: string, file = NAME): KeptUids {
  const [header, ...lines] = text.split('\n')
  // The last line ends, too: without that it may be half a line.
  if (header !== HEADER || lines.pop() !== '') throw new KeptUidsBroken(`${file}: cut off`)
  const kept = new Map<string, string>()
  const seen = new Set<string>()
  for (const [at, line] of lines.entries()) {
    const [, key, uid] = LINE.exec(line) ?? []
    const name = key === undefined ? null : decoded(key)
    if (name === null || kept.has(name) || seen.has(uid!))
      throw new KeptUidsBroken(`${file}:${at + 2}: no key and id, or not the first of them`)
    kept.set(name, uid!)
    seen.add(uid!)
  }
  return kept
}

export function formatKeptUids(kept: KeptUids): string {
  const lines = Array.from(kept, ([key, uid]) => `${encoded(key)} ${uid}`)
  return [HEADER, ...lines, ''].join('\n')
}

/**
 * Replaces the file. When this resolves it survives a power cut.
 * @throws NotAMaildir if `tmp` is a link to elsewhere, or the system's error
 */
export async function writeKeptUids(maildir: string, kept: KeptUids): Promise<void> {
  const draft = `${maildir}/tmp/${NAME}.${process.pid}.${randomBytes(8).toString('hex')}`
  requireDirectory(`${maildir}/tmp`)
  const fd = await openFresh(draft)
  try {
    await writeAll(fd, Buffer.from(formatKeptUids(kept), 'latin1'))
    await syncFile(fd)
    fs.renameSync(draft, keptUidsPath(maildir))
  } catch (error) {
    fs.rmSync(draft, { force: true })
    throw error
  } finally {
    fs.closeSync(fd)
  }
  await syncDirectory(maildir)
}

/** Under which key the id of each of these messages is kept. @param bases all different */
export function keysOf(bases: readonly string[]): ReadonlyMap<string, string> {
  const count = new Map<string, number>()
  for (const base of bases) count.set(uniquePart(base), (count.get(uniquePart(base)) ?? 0) + 1)
  return new Map(
    bases.map((base) => [base, count.get(uniquePart(base)) === 1 ? uniquePart(base) : base]),
  )
}

function encoded(key: string): string {
  return key.replace(/[^!-$&-~]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}

/** @returns `null` if it is not what `encoded` makes */
function decoded(text: string): string | null {
  const key = text.replace(/%([0-9A-F]{2})/g, (_, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16))
  })
  return encoded(key) === text ? key : null
}
