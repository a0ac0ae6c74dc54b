/** The program of a worker process: does what its primary says, and ends with it. */
import { unpacked } from './config/sent.js'
import { openLog } from './log/create.js'
import { reason } from './log/log.js'
import { Worker } from './worker.js'
import { Channel } from './workers/channel.js'
import type { ForPrimary, ForWorker, Order } from './workers/workers.js'

/** Whoever sends these to all processes of a server means the primary, which says what to do. */
const NOT_FOR_US = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const

let worker: Worker | null = null
let output: ReturnType<typeof openLog> | null = null
let ending: Promise<void> | null = null

const primary = new Channel<ForPrimary, ForWorker>(
  (notes) => void process.send?.([...notes], () => {}),
  {
    start,
    ping: () => {},
    reload: async (config) => worker?.reload(unpacked(config)),
    stop: async () => void end().then(hangUp),
  },
)

async function start({ config: sent }: Order): Promise<void> {
  const config = unpacked(sent)
  output = openLog(config.log, process.stdout)
  worker = new Worker(config, primary, output.log)
  await worker.start()
}

/** Lets clients finish. Safe to call twice; never rejects. */
function end(): Promise<void> {
  return (ending ??= finish())
}

async function finish(): Promise<void> {
  await worker?.stop().catch(tell)
  await output?.flush()
}

/** Nothing is left to be said: the end of the connection is the end of the process. */
function hangUp(): void {
  if (process.connected) process.disconnect()
}

function tell(fault: unknown): void {
  const stack = fault instanceof Error ? fault.stack : undefined
  output?.log.error('server fault', { reason: reason(fault), stack })
}

for (const signal of NOT_FOR_US) process.on(signal, () => {})
process.on('message', (notes) => primary.receive(notes))
process.on('disconnect', () => {
  // Where the primary is dead, clients that are being served finish, and that is all.
  primary.close()
  void end().finally(() => process.exit())
})
process.on('uncaughtException', (fault: unknown) => {
  // As in a server of one process: nothing acknowledged is lost by ending here.
  tell(fault)
  void Promise.resolve(output?.flush()).finally(() => process.exit(1))
})
