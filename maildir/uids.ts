/**
 * Unique ids of messages (RFC 1939 section 7): from names that never change,
 * never from flags. Where a name can come back (identity.ts) the id is that
 * name and a digest of the content: both are the same after a restart, without
 * an index, and in any copy of the Maildir, whatever times and inodes it gives
 * to its files. Two messages of equal content still have two names.
 */
import { createHash } from 'node:crypto'
import { type Remark, returns } from './identity.js'
import type { KeptUids } from './kept-uids.js'
import type { Memory } from './memory.js'
import { uniquePart } from './names.js'

/** What UIDL may say. */
const SPEAKABLE = /^[!-~]{1,70}$/
/** Twelve digits, as a digest has 48 bits. */
const DIGEST_DIGITS = 12

/** The id of a message: the text itself, or so many characters of its base; 0 = the hash of its unique part. */
export type Uid = string | number

/** A message that needs an id. */
export interface Nameless {
  readonly base: string
  /** Of a name that can come back; of others it does not matter. */
  readonly remark: Remark | null
}

/** What there is to tell messages with one unique part apart. */
export interface Past {
  readonly memory: Memory
  /** When the content of a file changed last. */
  readonly modified: (base: string) => number
}

export interface Ids {
  /** In the order of the messages. */
  readonly uids: readonly Uid[]
  /** Positions of messages whose id hangs on all of the base. */
  readonly tied: ReadonlySet<number>
}

/**
 * The ids of messages. Where none is kept, it is the unique part of the name
 * if that is fit and no kept id of any message. Of several with one unique
 * part the one that was there first has that id, and the others have hashes of
 * their bases, also when they are alone later: no id goes from one message to
 * another as long as the index is there to remember.
 * @param messages their bases are all different
 */
export function uidsOf(messages: readonly Nameless[], kept: KeptUids | null, past: Past): Ids {
  const wishes = messages.map((each) => wish(each, kept))
  const { later, tied } = ranked(messages, wishes, kept, past)
  const taken = new Set(kept?.values())
  const uids = messages.map((message, at): Uid => {
    const { base } = message
    const foreign = keptForAll(base, kept)
    if (foreign !== undefined) return foreign
    if (later.has(at)) return hashOfAll(message)
    return kept?.get(uniquePart(base)) ?? own(base, wishes[at]!, taken)
  })
  return { uids, tied }
}

/** How a file may be called by UIDL, the likeliest first. @param kept what is kept in its Maildir */
export function possibleUids(message: Nameless, kept: KeptUids | null): readonly string[] {
  const part = uniquePart(message.base)
  const natural = wish(message, null)
  const foreign = kept?.get(part) ?? kept?.get(message.base) ?? []
  return [foreign, natural, hashOf(natural), hashOfAll(message)].flat()
}

/** SHA-256, in hexadecimal digits. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex')
}

/** The id before it is known whether it is fit and free. A name that keeps a foreign id needs no content. */
function wish({ base, remark }: Nameless, kept: KeptUids | null): string {
  const part = uniquePart(base)
  if (!returns(base) || kept?.has(part) === true) return part
  return `${part}-${digits(remark)}`
}

/** The id kept for this base alone; a key without a comma may as well be the unique part of another's. */
function keptForAll(base: string, kept: KeptUids | null): string | undefined {
  return base === uniquePart(base) ? undefined : kept?.get(base)
}

function own(base: string, wished: string, taken: ReadonlySet<string>): Uid {
  const fit = SPEAKABLE.test(wished) && !taken.has(wished)
  if (returns(base)) return fit ? wished : hashOf(wished)
  return fit ? wished.length : 0
}

/** No base has a slash in it: this is never the hash of a unique part. */
function hashOfAll({ base, remark }: Nameless): string {
  if (returns(base)) return hashOf(`${base}/${digits(remark)}`)
  return hashOf(base === uniquePart(base) ? `${base}/` : base)
}

function digits(remark: Remark | null): string {
  return (remark?.digest ?? 0).toString(16).padStart(DIGEST_DIGITS, '0')
}

/** Which positions do not get what they wish for, and those whose wish is, or was, another's as well. */
function ranked(
  messages: readonly Nameless[],
  wishes: readonly string[],
  kept: KeptUids | null,
  past: Past,
): { readonly later: ReadonlySet<number>; readonly tied: ReadonlySet<number> } {
  const later = new Set<number>()
  for (const [at, message] of messages.entries()) {
    const before = past.memory.hash(message.base)
    if (before !== undefined && before === hashOfAll(message)) later.add(at)
  }
  const tied = new Set(later)
  for (const group of groupsOf(wishes)) {
    for (const at of group) tied.add(at)
    const open = group.filter(
      (at) => !later.has(at) && keptForAll(messages[at]!.base, kept) === undefined,
    )
    const [, ...others] = eldestFirst(open, messages, past)
    for (const at of others) later.add(at)
  }
  return { later, tied }
}

/** Positions that wish for the same. */
function groupsOf(wishes: readonly string[]): readonly (readonly number[])[] {
  if (new Set(wishes).size === wishes.length) return []
  const groups = new Map<string, number[]>()
  for (const [at, each] of wishes.entries()) {
    const group = groups.get(each)
    if (group === undefined) groups.set(each, [at])
    else group.push(at)
  }
  return [...groups.values()].filter(({ length }) => length > 1)
}

/** Who is in the index has told clients its id; else the times of the files are all there is. */
function eldestFirst(
  group: readonly number[],
  messages: readonly Nameless[],
  { memory, modified }: Past,
): readonly number[] {
  const ages = group.map((at) => {
    const { base } = messages[at]!
    return { at, known: memory.knew(base) ? 0 : 1, modified: modified(base) }
  })
  ages.sort((a, b) => a.known - b.known || a.modified - b.modified || a.at - b.at)
  return ages.map(({ at }) => at)
}
