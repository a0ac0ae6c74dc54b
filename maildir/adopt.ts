/**
 * Takes messages of another Maildir over: copies them, keeps their ids, or
 * does only the latter where the other Maildir and ours are the same.
 */
import fs from 'node:fs'
import { create } from './directories.js'
import { errorCode, WrongSize } from './errors.js'
import type { OldListing, OldMessage } from './old-listing.js'
import { keepable, keysOf, type KeptUids, readKeptUids, writeKeptUids } from './kept-uids.js'
import type { Places } from './maildir.js'
import { baseOf, MAX_NAME, sizedName, UniqueNames, uniquePart } from './names.js'
import { look, pathOf } from './scan.js'
import { dropSizes } from './size-file.js'
import {
  link,
  openForReading,
  openFresh,
  type Path,
  readFull,
  syncDirectory,
  syncFile,
  unlink,
  writeAll,
} from './system.js'

const CHUNK = 64 * 1024

/** What came of it. */
export interface Adoption {
  readonly copied: number
  /** Were there already, from a run before. */
  readonly present: number
}

/** Where a message goes. */
interface Move {
  readonly from: OldMessage
  /** Such as `cur/name,S=1,W=2:2,S`. */
  readonly to: string
  /** It is there already. */
  readonly done: boolean
}

/** Keeps the ids of a Maildir that was another server's until now. Its files stay as they are. */
export async function keepUids(maildir: string, { known }: OldListing): Promise<void> {
  const bases = await basesIn(maildir)
  await rewrite(maildir, bases, known)
}

/**
 * Copies all messages from one Maildir to another that may not exist yet, with
 * names and flags, and keeps their ids. What is there already from a run that
 * was cut off is not copied again. When this resolves all of it survives a
 * power cut.
 * @throws NotAMaildir, KeptUidsBroken, or the system's error
 */
export async function adopt(
  source: string,
  target: string,
  { known, unknown }: OldListing,
  host: string,
): Promise<Adoption> {
  await create(target)
  const moves = new Plan(await look(target), source, host).moves([...known, ...unknown])
  const byBase = new Map(moves.map((move) => [move.from.base, baseOf(nameIn(move.to))]))
  // First the ids: a client that logs in meanwhile must not see a message under another.
  const renamed = known.map((each) => ({ ...each, base: byBase.get(each.base)! }))
  await rewrite(target, [...(await basesIn(target)), ...byBase.values()], renamed)
  const todo = moves.filter(({ done }) => !done)
  for (const move of todo) await copyMessage(source, target, move)
  await syncDirectory(`${target}/new`)
  await syncDirectory(`${target}/cur`)
  dropSizes(target)
  return { copied: todo.length, present: moves.length - todo.length }
}

async function basesIn(maildir: string): Promise<string[]> {
  return [...(await look(maildir)).keys()]
}

/** Puts these first, then those that were kept before and are still there. */
async function rewrite(
  maildir: string,
  present: readonly string[],
  known: readonly Pick<OldMessage, 'base' | 'uid'>[],
): Promise<void> {
  const all = [...new Set(present)]
  const keys = keysOf(all)
  const kept = new Map<string, string>()
  const taken = new Set<string>()
  const keep = (key: string | undefined, uid: string): void => {
    if (key === undefined || kept.has(key) || taken.has(uid) || !keepable(uid)) return
    kept.set(key, uid)
    taken.add(uid)
  }
  for (const { base, uid } of known) keep(keys.get(base), uid)
  const before: KeptUids = readKeptUids(maildir) ?? new Map<string, string>()
  const now = new Map(
    [...keys].flatMap(([base, key]) => [[base, key] as const, [key, key] as const]),
  )
  for (const [key, uid] of before) keep(now.get(key), uid)
  if (kept.size > 0 || before.size > 0) await writeKeptUids(maildir, kept)
}

/** Finds a place for every message. */
class Plan {
  readonly #there: Places
  readonly #taken: Set<string>
  readonly #source: string
  readonly #fresh: UniqueNames

  constructor(there: Places, source: string, host: string) {
    this.#there = there
    this.#taken = new Set([...there.keys()].map(uniquePart))
    this.#source = source
    this.#fresh = new UniqueNames(host)
  }

  moves(messages: readonly OldMessage[]): Move[] {
    return messages.map((from) => this.#move(from))
  }

  #move(from: OldMessage): Move {
    const [folder, name] = [from.place.slice(0, 4), nameIn(from.place)]
    const octets = fs.lstatSync(pathOf(this.#source, from.place)).size
    const wanted = sizedName(name, octets, from.size)
    const present = this.#there.get(baseOf(wanted))?.[0]
    if (present !== undefined) return { from, to: present, done: true }
    return { from, to: `${folder}${this.#free(wanted, octets, from.size)}`, done: false }
  }

  /** The name itself, unless it is too long or somebody has it. */
  #free(wanted: string, octets: number, size: number): string {
    const part = uniquePart(baseOf(wanted))
    const good = part !== '' && wanted.length <= MAX_NAME && !this.#taken.has(part)
    if (!good) return sizedName(`${this.#fresh.next()}${flagsOf(wanted)}`, octets, size)
    this.#taken.add(part)
    return wanted
  }
}

async function copyMessage(source: string, target: string, { from, to }: Move): Promise<void> {
  const draft = pathOf(target, `tmp/${uniquePart(baseOf(nameIn(to)))}`)
  await copyFile(pathOf(source, from.place), draft, pathOf(target, to))
}

/**
 * Copies a file byte for byte, with its time. It is seen under its name only
 * when all of it is on the disk.
 * @param draft where it is written to
 * @throws the system's error, EEXIST if there is a file of that name
 */
export async function copyFile(from: Path, draft: Path, to: Path): Promise<void> {
  await unlinkIfThere(draft)
  const input = await openForReading(from)
  try {
    await copyOpen(input, draft)
  } finally {
    fs.closeSync(input)
  }
  try {
    // A link never overwrites.
    await link(draft, to)
  } finally {
    await unlinkIfThere(draft)
  }
}

async function copyOpen(input: number, draft: Path): Promise<void> {
  const { size, atimeMs, mtimeMs } = fs.fstatSync(input)
  const output = await openFresh(draft)
  try {
    await pump(input, output, size)
    fs.futimesSync(output, atimeMs / 1000, mtimeMs / 1000)
    await syncFile(output)
  } finally {
    fs.closeSync(output)
  }
}

async function pump(input: number, output: number, size: number): Promise<void> {
  const chunk = Buffer.allocUnsafe(CHUNK)
  for (let left = size; left > 0;) {
    const got = await readFull(input, chunk)
    if (got === 0) throw new WrongSize('a message became shorter while it was copied')
    await writeAll(output, chunk.subarray(0, got))
    left -= got
  }
}

async function unlinkIfThere(path: Path): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}

const nameIn = (place: string): string => place.slice(4)

const flagsOf = (name: string): string => name.slice(baseOf(name).length)
