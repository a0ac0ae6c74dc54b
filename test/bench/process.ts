/** The processes of a benchmark: starts and ends them, and asks the kernel what they cost. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Group } from './group.js'
import type { Site } from './site.js'

/** Milliseconds that a server has to begin, and a load driver to end. */
const START_MS = 20_000
const LOAD_MS = 180_000
const TRY_MS = 20

/** A server under test. */
export interface Running {
  readonly name: string
  readonly child: ChildProcess
  /** All its processes. */
  readonly group: Group
  /** Where it takes SMTP. */
  readonly smtp: number
  /** Where it gives POP3; 0 if it does not. */
  readonly pop3: number
  /** The Maildir that the load's recipient has. */
  readonly maildir: string
}

/** What a load driver says at the end. */
export interface Outcome {
  readonly milliseconds: number
  readonly octets?: number
  /** How often it did what it does. */
  readonly count?: number
  readonly each?: readonly number[]
  /** The part of a core that the driver itself used. */
  readonly driver?: number
}

/** `mailtap run`, one process, as anybody would start it, its log in a file. */
export async function startMailtap(cli: string, site: Site): Promise<Running> {
  const log = join(site.root, 'mailtap.log')
  const output = openSync(log, 'w')
  const group = Group.open(`mailtap-bench-${process.pid}-${site.name}`)
  const child = group.launch(() =>
    spawn(process.execPath, [cli, 'run', '-c', site.config], {
      stdio: ['ignore', output, 'inherit'],
    }),
  )
  closeSync(output)
  let ready: string | undefined
  await until(() => {
    if (child.exitCode !== null) throw new Error(`mailtap run ended with ${child.exitCode}`)
    ready = /^mailtap ready.*$/m.exec(readFileSync(log, 'utf8'))?.[0]
    return ready !== undefined
  }, 'mailtap')
  const port = (protocol: string): number =>
    Number(new RegExp(`${protocol} on \\S*:(\\d+)`).exec(ready!)?.[1])
  const maildir = join(site.domain, 'bob')
  return { name: 'mailtap', child, group, smtp: port('smtp'), pop3: port('pop3'), maildir }
}

export async function startNaive(maildir: string): Promise<Running> {
  const group = Group.open(`mailtap-bench-${process.pid}-naive`)
  const child = group.launch(() => fork(join(__dirname, 'naive.js'), [maildir]))
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { name: 'naive', child, group, smtp: port, pop3: 0, maildir }
}

export function stop({ group }: Running): Promise<void> {
  return group.stop()
}

/** Waits until something is so. @throws when it is not in time */
export async function until(is: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const late = performance.now() + START_MS
  while (!(await is())) {
    if (performance.now() > late) throw new Error(`${what} does not begin in time`)
    await sleep(TRY_MS)
  }
}

/**
 * Runs a load driver against a server.
 * @param measured called right before the load and right after it
 */
export async function load(
  program: string,
  args: readonly (string | number)[],
  measured: () => void = () => {},
): Promise<Outcome> {
  const child = fork(join(__dirname, program), args.map(String), { timeout: LOAD_MS })
  const exit = once(child, 'exit')
  const failed = exit.then(([code, signal]) => {
    throw new Error(`${program} ${args.join(' ')} ended with ${code ?? signal}`)
  })
  failed.catch(() => {})
  await Promise.race([once(child, 'message'), failed])
  measured()
  child.send('go')
  const [outcome] = (await Promise.race([once(child, 'message'), failed])) as [Outcome]
  measured()
  // A driver that holds connections keeps them while it is being measured.
  if (child.connected) child.send('over', () => {})
  await exit
  return outcome
}

/** Bytes of memory that a process has now, or had at most since the last call of `resetPeak`. */
export function memory(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const field = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1_024
  return { now: field('VmRSS'), peak: field('VmHWM') }
}

/** See proc_pid_clear_refs(5): 5 makes the peak what it is now. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}
