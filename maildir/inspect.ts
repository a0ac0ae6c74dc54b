/** Reads all of a Maildir and tells what is wrong with it; repairs what can be repaired without guessing. */
import fs from 'node:fs'
import { DOVECOT_FILE } from './dovecot-uidlist.js'
import { errorCode } from './errors.js'
import { indexPath, readIndex } from './index-file.js'
import { KeptUidsBroken, type KeptUids, readKeptUids } from './kept-uids.js'
import type { Places } from './maildir.js'
import { Memory } from './memory.js'
import { baseOf, fileSizeIn, sizedName, uniquePart, wireSizeIn } from './names.js'
import { look, pathOf } from './scan.js'
import { dropSizes } from './size-file.js'
import { Sizes } from './sizes.js'
import { same, stampsOf } from './stamps.js'
import { syncDirectory } from './system.js'
import { type Past, uidsOf } from './uids.js'

/** What maildir(5) calls abandoned. */
const STALE_MS = 36 * 60 * 60 * 1000
/** Why a name stays although it is not as it should be. */
const OF_AN_ID = 'it keeps its name, as that is what its id is made of or found by'
const OF_DOVECOT = `it keeps its name, as Dovecot (${DOVECOT_FILE}) would take it for another message`

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

/** How far a repair may go. */
export interface InspectOptions {
  /**
   * Offers new names also where Dovecot knows the messages by the old ones: it
   * will take each for a message removed and another that came. Default: false.
   */
  readonly renameUnderDovecot?: boolean
}

/** Waits for the disk. @throws NotAMaildir, or the system's error */
export async function inspect(
  maildir: string,
  { renameUnderDovecot = false }: InspectOptions = {},
): Promise<Finding[]> {
  const stamps = stampsOf(maildir)
  const places = await look(maildir)
  const [kept, ...broken] = keptIds(maildir)
  const sizes = new Sizes({ path: maildir, owner: stamps.owner, places }, null)
  const measured = measure(maildir, places, sizes)
  const memory = new Memory(readIndex(maildir, stamps)?.table ?? null)
  const tied = tiedNames([...places.keys()], kept, {
    memory,
    modified: (base) => sizes.modified(base),
  })
  const dovecots = !renameUnderDovecot && fs.existsSync(`${maildir}/${DOVECOT_FILE}`)
  const common = dovecots ? OF_DOVECOT : null
  const messages = Array.from(places, ([base, [place]]) => {
    const obstacle = tied.has(base) ? OF_AN_ID : common
    return messageFaults(maildir, place!, measured.get(base) ?? null, obstacle)
  })
  const faults = [...broken, ...messages.flat(), ...drafts(maildir)]
  return [...faults, ...indexFaults(maildir, measured)]
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

/** Names that ids are made of, or found by. */
function tiedNames(bases: readonly string[], kept: KeptUids | null, past: Past): Set<string> {
  const messages = bases.map((base) => {
    return { base, remark: past.memory.remark(base)?.remark ?? null }
  })
  const { tied } = uidsOf(messages, kept, past)
  const keys = bases.filter((base) => kept?.has(base) === true && base !== uniquePart(base))
  return new Set([...keys, ...Array.from(tied, (at) => bases[at]!)])
}

function measure(maildir: string, places: Places, sizes: Sizes): Map<string, Measured> {
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
  obstacle: string | null,
): Finding[] {
  if (size === null) return noMessage(maildir, place)
  if (!readable(maildir, place)) return [fault('unreadable', place, 'permission denied')]
  const name = place.slice(4)
  const [octets, wire] = [fileSizeIn(baseOf(name)), wireSizeIn(baseOf(name))]
  if (octets === size.octets && wire === size.wire) return []
  const right = `${place.slice(0, 4)}${sizedName(name, size.octets, size.wire)}`
  const way = obstacle === null ? right : null
  const why = obstacle === null ? '' : `; ${obstacle}`
  const wrong = (octets ?? size.octets) !== size.octets || (wire ?? size.wire) !== size.wire
  if (!wrong)
    return [{ kind: 'size missing', place, what: `the name lacks S= or W=${why}`, repair: way }]
  const what = `it has ${size.octets} octets, ${size.wire} on the wire${why}`
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
