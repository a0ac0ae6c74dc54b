/** The processes of a benchmark: starts and ends them, and asks the kernel what they cost. */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A server under test. */
export interface Running {
  readonly name: string
  readonly child: ChildProcess
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
  readonly each?: readonly number[]
}

/** `mailtap run`, one process, as anybody would start it, its log in a pipe that is read. */
export async function startMailtap(cli: string, config: string, domain: string): Promise<Running> {
  const child = spawn(process.execPath, [cli, 'run', '-c', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const ready = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => line.startsWith('mailtap ready') && resolve(line))
    child.once('exit', (code) => reject(new Error(`mailtap run ended with ${code}`)))
  })
  const port = (protocol: string): number =>
    Number(new RegExp(`${protocol} on \\S*:(\\d+)`).exec(ready)?.[1])
  const maildir = join(domain, 'bob')
  return { name: 'mailtap', child, smtp: port('smtp'), pop3: port('pop3'), maildir }
}

export async function startNaive(maildir: string): Promise<Running> {
  const child = fork(join(__dirname, 'naive.js'), [maildir])
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { name: 'naive', child, smtp: port, pop3: 0, maildir }
}

export async function stop({ child }: Running): Promise<void> {
  child.kill('SIGTERM')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
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
  const child = fork(join(__dirname, program), args.map(String))
  const exit = once(child, 'exit')
  const failed = exit.then(([code]) => {
    throw new Error(`${program} ended with ${code}`)
  })
  failed.catch(() => {})
  await Promise.race([once(child, 'message'), failed])
  measured()
  child.send('go')
  const [outcome] = (await Promise.race([once(child, 'message'), failed])) as [Outcome]
  measured()
  await exit
  return outcome
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Milliseconds of CPU that all threads of a process used, in user and in system mode. */
export function cpu(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND
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
