/** `mailtap run`: the server in the foreground, and what it does at a signal. */
import type { Config } from '../src/config/config.js'
import { openLog } from '../src/log/create.js'
import { reason, type Log } from '../src/log/log.js'
import { Primary } from '../src/primary.js'
import { Server } from '../src/server.js'
import type { Desk } from '../src/tending.js'
import { CONFIG, type Command, type Given } from './command.js'
import { notBuilt } from './exit.js'
import { explain } from './explain.js'
import { oneByOne } from './one-by-one.js'
import { configFile, readConfig, requireListeners } from './settings.js'
import { startFailure } from './start-failure.js'
import { complain, say } from './terminal.js'

/** What a shell reports for a process that a signal ended, minus the signal. */
const SIGNAL_EXIT = 128
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const

export const run: Command = {
  name: 'run',
  summary: 'run the server in the foreground; SIGTERM stops it, SIGHUP takes up changed settings',
  options: [
    CONFIG,
    { flags: '-y, --application <file>', help: 'run an application written in code' },
  ],
  run: serve,
}

/** Resolves when the server has stopped. @throws Failure when it can not start */
async function serve(given: Given): Promise<void> {
  if (given.has('application')) throw notBuilt('-y (an application written in code)')
  const file = await configFile(given)
  const config = await readConfig(file)
  requireListeners(config)
  const output = openLog(config.log, process.stdout)
  const { log } = output
  endAtFault(output)
  ignoreDebuggerSignal()
  // Whoever asks for it: of two at once the older settings might be taken up last.
  const takeUpNext = oneByOne(() => takeUp(file, server))
  const server: AnyServer = serverOf(config, log, { reload: takeUpNext })
  const stopped = untilSignal()
  const reloading = reloadAtHangup(file, takeUpNext, log)
  await started(server, config)
  sayReady(server, config, log)
  log.info('server stopping', { signal: await stopped })
  reloading.end()
  await server.stop()
  log.info('server stopped')
  await output.flush()
}

type AnyServer = Server | Primary

/** One process, or several. */
function serverOf(config: Config, log: Log, desk: Desk): AnyServer {
  if (config.run.workers === 0) return new Server(config, log, {}, desk)
  return new Primary(config, log, desk)
}

async function started(server: AnyServer, { state }: Config): Promise<void> {
  try {
    await server.start()
  } catch (error) {
    throw startFailure(error, state)
  }
}

/** Scripts and tests wait for this line: it comes at every log level. */
function sayReady(server: AnyServer, { log: { format } }: Config, log: Log): void {
  const bound = server.addresses()
  if (format === 'text') {
    const names = bound.map(({ protocol, endpoint }) => `${protocol} on ${endpoint}`)
    return say(`mailtap ready: ${names.join(', ') || 'listening nowhere'}`)
  }
  const names = bound.map(({ protocol, endpoint }) => `${protocol}:${endpoint}`)
  log.info('server ready', { listen: names.join(' ') })
}

/** The first signal asks to finish what runs; the second one does not ask. */
function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false
    for (const [signal, number] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        if (asked) process.exit(SIGNAL_EXIT + number)
        asked = true
        resolve(signal)
      })
    }
  })
}

/** A bad config changes nothing. */
function reloadAtHangup(file: string, takeUpNext: Reload, log: Log): { end(): void } {
  let over = false
  process.on('SIGHUP', () => {
    if (!over) void reload(file, takeUpNext, log)
  })
  // The handler stays: without one the signal would kill a server that is just finishing its work.
  return { end: () => (over = true) }
}

type Reload = () => Promise<void>

async function reload(file: string, takeUpNext: Reload, log: Log): Promise<void> {
  try {
    await takeUpNext()
    log.info('config reloaded', { file })
  } catch (error) {
    log.error('config not reloaded', { file, reason: explain(error).lines.join('; '), kept: true })
  }
}

/** @throws what is wrong with the config; nothing was changed then */
async function takeUp(file: string, server: AnyServer): Promise<void> {
  const config = await readConfig(file)
  requireListeners(config)
  await server.reload(config)
}

/** An error that nobody expected: nothing acknowledged is lost by ending here, and going on might lose some. */
function endAtFault(output: ReturnType<typeof openLog>): void {
  process.on('uncaughtException', (fault: unknown) => {
    const stack = fault instanceof Error ? fault.stack : undefined
    output.log.error('server fault', { reason: reason(fault), stack })
    complain(`internal error: ${reason(fault)}`)
    void output.flush().finally(() => process.exit(1))
  })
}

/** Node's answer to USR1 is a debugger that every user of the machine can reach; admins send it to make servers reopen logs. */
function ignoreDebuggerSignal(): void {
  process.on('SIGUSR1', () => {})
}
