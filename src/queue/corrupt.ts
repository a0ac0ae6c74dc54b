/** Puts the files of a broken message aside, for a person to look at: both together, nothing overwritten, durably. */
import { mkdir, rename } from 'node:fs/promises'
import { codeOf } from './disk-failure.js'
import { BODY, ENVELOPE } from './disk-work.js'
import { type Shards, syncDirectory } from './shards.js'

/** How often a message of one id can be put aside. */
const MAX_TIMES = 1_000

/**
 * Moves both files into a directory of their own.
 * @returns its path
 * @throws what the disk says; nothing is lost then
 */
export async function putAside(shards: Shards, shard: number, id: string): Promise<string> {
  const place = await freshDirectory(`${shards.corrupt}/${id}`)
  const from = `${shards.path(shard)}/${id}`
  // The envelope last: while it is there, a start after a crash finds that the message is broken
  // and puts it aside, too; a body alone would be taken for a leftover.
  await renameIfThere(from + BODY, `${place}/${id}${BODY}`)
  await syncDirectory(place)
  await renameIfThere(from + ENVELOPE, `${place}/${id}${ENVELOPE}`)
  for (const path of [place, shards.corrupt, shards.path(shard)]) await syncDirectory(path)
  return place
}

async function freshDirectory(path: string): Promise<string> {
  for (let time = 0; ; time++) {
    const place = time === 0 ? path : `${path}.${time}`
    try {
      await mkdir(place, 0o700)
      return place
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || time >= MAX_TIMES) throw error
    }
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
