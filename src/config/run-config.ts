/** `[run]`: the processes of a server. The form of the table, and what it means. */
import { expects, notBuilt, table, z } from './forms.js'

export interface RunConfig {
  /** Processes that serve clients, besides the one that has the spool; 0 = one process does all. */
  readonly workers: number | 'auto'
}

/** More than any machine's cores are of use to mail. */
const MAX_WORKERS = 64
const WORKERS = expects(`"auto" for one per core, or a whole number from 0 to ${MAX_WORKERS}`)

export const run = table({
  workers: z
    .union([z.literal('auto'), z.int(WORKERS).min(0, WORKERS).max(MAX_WORKERS, WORKERS)], WORKERS)
    .default(0)
    .describe('processes that serve clients; 0: one process does all; "auto": one per core'),
  uid: notBuilt('changing the uid'),
  gid: notBuilt('changing the gid'),
}).prefault({})

/** @param settings in the words of the file */
export function runOf({ workers }: z.infer<typeof run>): RunConfig {
  return { workers }
}

/** If nothing is said, and in the programs of others. */
export const RUN: RunConfig = runOf(run.parse(undefined))
