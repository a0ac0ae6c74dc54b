/**
 * Which run of which process: a process id alone comes back, after a reboot or
 * when the numbers have gone round. See proc_pid_stat(5).
 */
import { readFileSync } from 'node:fs'

/** Stands for what a system without /proc does not tell. */
const UNKNOWN = '-'

export interface Incarnation {
  readonly pid: number
  /** Clock ticks from boot to the start of the process. */
  readonly started: string
  /** The kernel's id of this boot. */
  readonly boot: string
}

/** The run that asks. */
export function currentIncarnation(): Incarnation {
  const started = read('/proc/self/stat', (stat) => processState(stat).started)
  return { pid: process.pid, started, boot: bootId() }
}

/** True while that run goes on; a process that ended and that nobody has waited for yet does not. */
export function isRunning(who: Incarnation): boolean {
  if (who.boot !== bootId()) return false
  if (who.started === UNKNOWN) return answers(who.pid)
  return (
    read(`/proc/${who.pid}/stat`, (stat) => {
      const { state, started } = processState(stat)
      return started === who.started && state !== 'Z' && state !== 'X' ? 'yes' : UNKNOWN
    }) === 'yes'
  )
}

/** The name of the program stands in parentheses and may hold any character, so counting starts behind it. */
function processState(stat: string): { state: string; started: string } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? UNKNOWN, started: fields[19] ?? UNKNOWN }
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id', (id) => id.trim())
}

function read(path: string, use: (content: string) => string): string {
  try {
    return use(readFileSync(path, 'latin1'))
  } catch {
    return UNKNOWN
  }
}

/** Without /proc all that can be known. */
function answers(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
