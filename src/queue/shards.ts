/**
 * The directories of a spool: 256 of them, so that none has more than a few thousand names with
 * half a million messages waiting. Which one a message is in says nothing; it stays there. What
 * comes together goes into one, whose fsync it shares.
 */
import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf, StrangeFile } from './disk-failure.js'
import { DRAFT, ENVELOPE } from './disk-work.js'

export const SHARDS = 256
/** Additions in a row that go into one directory. */
const TOGETHER = 64
const CORRUPT = 'corrupt'

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
const NAME = /^([A-Za-z0-9]{1,64})(\.msg|\.env|\.msg\.tmp|\.env\.tmp)$/

/** A draft, or a body that has no envelope: left by a crash, or by a removal. */
export interface Remainder {
  readonly name: string
  /** The message that it was for. */
  readonly id: string
  readonly draft: boolean
}

/** What one directory holds. */
export interface Held {
  /** Ids of messages that have an envelope. */
  readonly ids: readonly string[]
  readonly leftovers: readonly Remainder[]
  /** How many names are none of ours. */
  readonly foreign: number
}

export class Shards {
  readonly root: string
  #added = Math.floor(Math.random() * SHARDS) * TOGETHER

  /** @param root the spool's own directory */
  constructor(root: string) {
    this.root = root
  }

  /** Where what is broken goes. */
  get corrupt(): string {
    return `${this.root}/${CORRUPT}`
  }

  /** @param shard 0 to 255 */
  path(shard: number): string {
    return `${this.root}/${shard.toString(16).padStart(2, '0')}`
  }

  /** The directory for a message that comes now. */
  next(): number {
    return Math.floor(this.#added++ / TOGETHER) % SHARDS
  }

  /**
   * Makes what is missing, durably; the parent must be there.
   * @throws StrangeFile when one of them is a link or no directory, or what the disk says
   */
  async make(): Promise<void> {
    const fresh = await makeDirectory(this.root)
    if (fresh) await syncDirectory(`${dirname(this.root)}/.`)
    const made = [await makeDirectory(this.corrupt)]
    for (let shard = 0; shard < SHARDS; shard++) made.push(await makeDirectory(this.path(shard)))
    if (made.includes(true)) await syncDirectory(this.root)
  }

  /** @throws what the disk says */
  async held(shard: number): Promise<Held> {
    return sorted(await readdir(this.path(shard)))
  }
}

/** An envelope counts by its name alone, whatever bears it: what is no file is found out when it is read. */
function sorted(names: readonly string[]): Held {
  const ids: string[] = []
  const others: Remainder[] = []
  let foreign = 0
  for (const name of names) {
    const [, id, end] = NAME.exec(name) ?? []
    if (id === undefined || end === undefined) foreign++
    else if (end === ENVELOPE) ids.push(id)
    else others.push({ name, id, draft: end.endsWith(DRAFT) })
  }
  const known = new Set(ids)
  return { ids, leftovers: others.filter(({ id, draft }) => draft || !known.has(id)), foreign }
}

/** @returns true if it was not there */
async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, 0o700)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  if (!(await lstat(path)).isDirectory()) throw new StrangeFile(`${path}: not a directory`)
  return false
}

/** A file system that cannot sync a directory says EINVAL and does it by itself. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    await directory.sync()
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error
  } finally {
    await directory.close()
  }
}
