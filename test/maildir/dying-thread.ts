/** The delivery thread, except that it dies of a letter to the Maildir `poison`, and is silent about one to `silence`. */
import { parentPort } from 'node:worker_threads'
import { deliverBatch } from '../../maildir/batch.js'
import type { Batch } from '../../maildir/batch-thread.js'

parentPort?.on('message', ({ jobs, bytes }: Batch) => {
  if (jobs.some(({ maildir }) => maildir === 'poison')) throw new Error('poisoned')
  const results = deliverBatch(jobs, new Uint8Array(bytes))
  parentPort?.postMessage(jobs.some(({ maildir }) => maildir === 'silence') ? [] : results)
})
