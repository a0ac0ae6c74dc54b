/** Finds the files of a Maildir while other programs may rename them. */
import fs from 'node:fs'
import { FileClock, moment } from './file-clock.js'
import type { Index } from './index-file.js'
import type { Places } from './maildir.js'
import { baseOf } from './names.js'
import {
  idle,
  nowNs,
  oldFolders,
  same,
  sameFolders,
  type Stamp,
  type Stamps,
  stampsOf,
} from './stamps.js'
import { namesIn, type Path } from './system.js'

/** How often a Maildir is read that changes meanwhile; then all that was seen counts. */
const MAX_PASSES = 3
// oxlint-disable-next-line no-control-regex -- all of ASCII
const ASCII = /^[\u0000-\u007f]*$/

/** What a scan found. */
export interface Scan {
  readonly places: Places
  /**
   * The times it is true for; `null` if the Maildir changed, or may have, or
   * if that cannot be told. To tell, a file is made in `tmp`: only whoever
   * wants to know should ask.
   */
  readonly settled: Stamps | null
}

/**
 * Finds all messages, waiting for the disk. A file renamed while its directory
 * is read may be missed, so this looks again until nothing changed. A folder
 * that the index knows is not read.
 * @throws NotAMaildir when it or `new` or `cur` is a symbolic link or no
 *   directory; the system's error, ENOENT if it is not there
 */
export function scan(maildir: string, index: Index | null): Scan {
  const found = new Map<string, readonly string[]>()
  const clock = new FileClock(maildir)
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const began = { ours: nowNs(), moment: moment() }
    const before = stampsOf(maildir)
    const places = read(maildir, before, index)
    const unchanged = sameFolders(before, stampsOf(maildir))
    if (unchanged && quiet(before, began, clock)) return new Settled(places, before, began, clock)
    for (const [base, where] of places) found.set(base, where)
  }
  return { places: found, settled: null }
}

/**
 * Reads both directories once. `new` goes first: a message that moves to
 * `cur` meanwhile is seen twice rather than never.
 */
export async function look(maildir: string): Promise<Places> {
  const fresh = await namesIn(`${maildir}/new`)
  return sorted(fresh, await namesIn(`${maildir}/cur`))
}

/** The path of a place: as a string when it is ASCII, else byte for byte. */
export function pathOf(maildir: string, place: string): Path {
  if (ASCII.test(place)) return `${maildir}/${place}`
  return Buffer.concat([Buffer.from(`${maildir}/`), Buffer.from(place, 'latin1')])
}

/** When something began: by our clock, and for any other one. */
interface Began {
  readonly ours: bigint
  readonly moment: bigint
}

/** A scan during which nothing changed that left a trace. */
class Settled implements Scan {
  readonly places: Places
  readonly #stamps: Stamps
  readonly #began: Began
  readonly #clock: FileClock

  constructor(places: Places, stamps: Stamps, began: Began, clock: FileClock) {
    this.places = places
    this.#stamps = stamps
    this.#began = began
    this.#clock = clock
  }

  get settled(): Stamps | null {
    const now = this.#clock.at(this.#began.moment)
    return now !== null && oldFolders(this.#stamps, now) ? this.#stamps : null
  }
}

/** No change can have left an equal stamp while the folders were read. */
function quiet(stamps: Stamps, { ours, moment: began }: Began, clock: FileClock): boolean {
  return idle(stamps, ours) || oldFolders(stamps, clock.at(began) ?? ours)
}

function read(maildir: string, { fresh, seen }: Stamps, index: Index | null): Places {
  const names = namesNow(maildir, 'new', fresh, index?.fresh, index)
  return sorted(names, namesNow(maildir, 'cur', seen, index?.seen, index))
}

function namesNow(
  maildir: string,
  folder: 'new' | 'cur',
  now: Stamp,
  known: Stamp | undefined,
  index: Index | null,
): string[] {
  if (index !== null && known !== undefined && same(known, now)) return index.table.names(folder)
  return fs.readdirSync(`${maildir}/${folder}`, 'latin1')
}

function sorted(fresh: readonly string[], seen: readonly string[]): Places {
  const places = new Map<string, string[]>()
  for (const name of fresh) note(places, name, `new/${name}`)
  for (const name of seen) note(places, name, `cur/${name}`)
  return places
}

function note(places: Map<string, string[]>, name: string, place: string): void {
  if (name.startsWith('.')) return
  const base = baseOf(name)
  const others = places.get(base)
  // Later means `cur`, or a newer set of flags: better than what stood there.
  if (others === undefined) places.set(base, [place])
  else others.unshift(place)
}
