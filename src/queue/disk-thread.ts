/** The thread that works for the spool: takes a batch of tasks, does it, says what came of each. */
import { parentPort } from 'node:worker_threads'
import { doAll, type Task } from './disk-work.js'

parentPort?.on('message', (tasks: readonly Task[]) => {
  parentPort?.postMessage(doAll(tasks))
})
