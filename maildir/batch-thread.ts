/** The thread that delivers batches: takes one, does it, says what became of it. */
import { parentPort } from 'node:worker_threads'
import { deliverBatch, type Job } from './batch.js'

export interface Batch {
  readonly jobs: readonly Job[]
  /** The letters of all jobs, one behind the other; they stay as they are until the answer. */
  readonly bytes: SharedArrayBuffer
}

parentPort?.on('message', ({ jobs, bytes }: Batch) => {
  parentPort?.postMessage(deliverBatch(jobs, new Uint8Array(bytes)))
})
