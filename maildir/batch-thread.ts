/** The thread that delivers batches: takes one, does it, says what became of it. */
import { parentPort } from 'node:worker_threads'
import { deliverBatch, type Job } from './batch.js'

export interface Batch {
  readonly jobs: readonly Job[]
  /** The letters of all jobs, one behind the other. */
  readonly bytes: ArrayBuffer
}

parentPort?.on('message', ({ jobs, bytes }: Batch) => {
  parentPort?.postMessage(deliverBatch(jobs, new Uint8Array(bytes)))
})
