/** Reads all of a Maildir and tells what is wrong with it; repairs what can be repaired without guessing. */
import fs from 'node:fs'
import { errorCode } from './errors.js'
import { indexPath, readIndex } from './index-file.js'
import { KeptUidsBroken, type KeptUids, readKeptUids } from './kept-uids.js'
import type { Places } from './maildir.js'
import { baseOf, fileSizeIn, sizedName, uniquePart, wireSizeIn } from './names.js'
import { look, pathOf } from './scan.js'
import { dropSizes } from './size-file.js'
import { Sizes } from './sizes.js'
import { same, stampsOf } from './stamps.js'
import { syncDirectory } from './system.js'
import { uidsOf } from './uids.js'

/** What maildir(5) calls abandoned. */
const STALE_MS = 36 * 60 * 60 * 1000

/** One thing that is wrong. */
export interface Finding {
  readonly kind:
    | 'size missing'
    | 'size wrong'
    | 'not a message'
    | 'unreadable'
    | 'stale draft'
    | 'kept ids broken'
    | 'index wrong'
  /** In the Maildir, a character per octet. */
  readonly place: string
  readonly what: string
  /** The place that would be right, `''` to remove it; `null` if it takes a person. */
  readonly repair: string | null
}

/** Those that harm nobody. */
export const HARMLESS: ReadonlySet<Finding['kind']> = new Set(['size missing', 'stale draft'])

/** Waits for the disk. @throws NotAMaildir, or the system's error */
export async function inspect(maildir: string): Promise<Finding[]> {
  const stamps = stampsOf(maildir)
  const places = await look(maildir)
  const [kept, ...broken] = keptIds(maildir)
  const sizes = sizesIn(maildir, stamps.owner, places)
  const bases = [...places.keys()]
  const ids = uidsOf(bases, kept ?? null)
  const messages = bases.flatMap((base, at) => {
    const place = places.get(base)![0]!
    // A name that the id is made of, or found by, must stay.
    const fixed = ids[at] === 0 || (kept?.has(base) === true && base !== uniquePart(base))
    return messageFaults(maildir, place, sizes.get(base) ?? null, fixed)
  })
  return [...broken, ...messages, ...drafts(maildir), ...indexFaults(maildir, sizes)]
}

/** Renames or removes. What is gone meanwhile needs no repair. @returns how many were repaired */
export async function repair(maildir: string, findings: readonly Finding[]): Promise<number> {
  let count = 0
  for (const finding of findings) if (repairOne(maildir, finding)) count++
  for (const folder of ['new', 'cur']) await syncDirectory(`${maildir}/${folder}`)
  // It may have been kept from sizes that were wrong.
  if (count > 0) dropSizes(maildir)
  return count
}

function repairOne(maildir: string, { place, repair: to }: Finding): boolean {
  if (to === null) return false
  try {
    if (to === '') fs.unlinkSync(pathOf(maildir, place))
    else if (fs.existsSync(pathOf(maildir, to))) return false
    else fs.renameSync(pathOf(maildir, place), pathOf(maildir, to))
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

/** What is on the disk: in the file, on the wire. */
interface Measured {
  readonly octets: number
  readonly wire: number
}

function sizesIn(maildir: string, owner: number, places: Places): Map<string, Measured> {
  const sizes = new Sizes({ path: maildir, owner, places }, null)
  const measured = new Map<string, Measured>()
  for (const [base, [place]] of places) {
    const wire = sizes.of(base)
    const stats = fs.lstatSync(pathOf(maildir, place!), { throwIfNoEntry: false })
    if (wire !== null && stats !== undefined) measured.set(base, { octets: stats.size, wire })
  }
  return measured
}

function messageFaults(
  maildir: string,
  place: string,
  size: Measured | null,
  fixed: boolean,
): Finding[] {
  if (size === null) return noMessage(maildir, place)
  if (!readable(maildir, place)) return [fault('unreadable', place, 'permission denied')]
  const name = place.slice(4)
  const [octets, wire] = [fileSizeIn(baseOf(name)), wireSizeIn(baseOf(name))]
  if (octets === size.octets && wire === size.wire) return []
  const right = `${place.slice(0, 4)}${sizedName(name, size.octets, size.wire)}`
  const way = fixed ? null : right
  const wrong = (octets ?? size.octets) !== size.octets || (wire ?? size.wire) !== size.wire
  if (!wrong) return [{ kind: 'size missing', place, what: 'the name lacks S= or W=', repair: way }]
  const what = `it has ${size.octets} octets, ${size.wire} on the wire`
  return [{ kind: 'size wrong', place, what, repair: way }]
}

function noMessage(maildir: string, place: string): Finding[] {
  // Gone, not wrong.
  if (fs.lstatSync(pathOf(maildir, place), { throwIfNoEntry: false }) === undefined) return []
  return [fault('not a message', place, "no regular file, or a hard link to somebody else's")]
}

function readable(maildir: string, place: string): boolean {
  try {
    fs.accessSync(pathOf(maildir, place), fs.constants.R_OK)
    return true
  } catch (error) {
    return errorCode(error) === 'ENOENT'
  }
}

function drafts(maildir: string): Finding[] {
  const youngest = Date.now() - STALE_MS
  return fs.readdirSync(`${maildir}/tmp`, 'latin1').flatMap((name): Finding[] => {
    const place = `tmp/${name}`
    const stats = fs.lstatSync(pathOf(maildir, place), { throwIfNoEntry: false })
    if (stats?.isFile() !== true || Math.max(stats.atimeMs, stats.mtimeMs) > youngest) return []
    return [{ kind: 'stale draft', place, what: 'a delivery that never ended', repair: '' }]
  })
}

/** The kept ids, then what is wrong with them. */
function keptIds(maildir: string): [KeptUids | null, ...Finding[]] {
  try {
    return [readKeptUids(maildir)]
  } catch (error) {
    if (!(error instanceof KeptUidsBroken)) throw error
    return [null, fault('kept ids broken', 'mailtap-uidl', error.message)]
  }
}

/** An index that is up to date must know the sizes. */
function indexFaults(maildir: string, sizes: ReadonlyMap<string, Measured>): Finding[] {
  const now = stampsOf(maildir)
  const index = readIndex(maildir, now)
  if (index === null || !same(index.fresh, now.fresh) || !same(index.seen, now.seen)) return []
  for (let at = 0; at < index.table.count; at++) {
    const base = index.table.base(at)
    const size = sizes.get(base)?.wire ?? index.table.size(at)
    // A name that lies is the fault of the name.
    if (size === index.table.size(at) || wireSizeIn(base) !== null) continue
    const place = indexPath(maildir).slice(maildir.length + 1)
    return [{ kind: 'index wrong', place, what: `it has another size for ${base}`, repair: '' }]
  }
  return []
}

function fault(kind: Finding['kind'], place: string, what: string): Finding {
  return { kind, place, what, repair: null }
}
