/** A thread that removes nothing: says who it is, takes its time for the path `slow`, dies of `poison`. */
import { parentPort, threadId } from 'node:worker_threads'
import type { Task } from '../../maildir/reader-thread.js'

/** Longer than any disk that is not slow. */
const SLOW_MS = 300

parentPort?.on('message', ({ ask }: Task<'unlink'>) => {
  if (ask.path === 'poison') throw new Error('poisoned')
  const memory = new Int32Array(new SharedArrayBuffer(4))
  if (ask.path === 'slow') Atomics.wait(memory, 0, 0, SLOW_MS)
  parentPort?.postMessage({ answer: [threadId] })
})
