/** What a spool holds when it is opened: the names alone, so that a start takes no longer than listing its directories. */
import { type Log, reason } from '../log/log.js'
import type { Entry } from './entry.js'
import type { Ledger } from './ledger.js'
import { Leftovers } from './leftovers.js'
import { SHARDS } from './shards.js'
import type { SpoolFiles } from './spool-files.js'

/** What was found. */
export interface Found {
  readonly entries: readonly Entry[]
  readonly leftovers: Leftovers
}

/**
 * Makes the directories that are missing and enters all names into the ledger.
 * @throws what the disk says
 */
export async function look(files: SpoolFiles, ledger: Ledger, log: Log): Promise<Found> {
  const { shards } = files
  await shards.make()
  const entries: Entry[] = []
  const leftovers = new Leftovers(log)
  for (let shard = 0; shard < SHARDS; shard++) {
    const { ids, leftovers: left, foreign } = await shards.held(shard)
    for (const one of left) leftovers.note({ ...one, shard, directory: shards.path(shard) })
    if (foreign > 0) log.warn('queue foreign files', { path: shards.path(shard), count: foreign })
    for (const id of ids) {
      if (ledger.get(id) === null) entries.push(ledger.enter(id, shard))
      else await putTwinAside(files, shard, id, log)
    }
  }
  return { entries, leftovers }
}

/** Of one id there can be only one message: the other would take its place with the next change. */
async function putTwinAside(files: SpoolFiles, shard: number, id: string, log: Log): Promise<void> {
  try {
    const path = await files.putAside(shard, id)
    log.error('queue file broken', { id, path, reason: 'there are two messages of this id' })
  } catch (error) {
    log.error('queue file stays', { id, reason: reason(error) })
  }
}
