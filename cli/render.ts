/** Renders a message in a thread that may not take for ever, nor all memory. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Exit, Failure } from './exit.js'
import type { Rendered } from './render-thread.js'

const MAX_MS = 60_000
/** MiB: a message of 50 MB takes about 400. */
const MAX_MEMORY = 1_024

/** @param message with CR LF line ends @throws Failure when it takes too long, or too much */
export async function render(message: Buffer): Promise<Rendered> {
  const worker = new Worker(new URL('./render-thread.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY },
  })
  try {
    worker.postMessage(message)
    const signal = AbortSignal.timeout(MAX_MS)
    const [rendered] = (await once(worker, 'message', { signal })) as [Rendered]
    return rendered
  } catch (error) {
    const what = 'the message cannot be rendered; --raw prints it as it is'
    throw new Failure(Exit.badData, what, { cause: error })
  } finally {
    await worker.terminate()
  }
}
