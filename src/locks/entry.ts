/**
 * What a lock's link says: who holds the lock, or that nobody does. It is short
 * enough to lie in the inode itself, so it takes no block of the disk.
 */
import { randomBytes } from 'node:crypto'
import { monotonicMs } from '../process/clock.js'
import { currentIncarnation, type Incarnation, isRunning } from '../process/incarnation.js'

/** Digits of a boot's id: enough to tell the boots of one machine apart. */
const BOOT_DIGITS = 12
const FORM =
  /^(held|free) (\d{1,10}) (\d{1,20}|-) ([0-9a-f]{12}|-) ([0-9a-f]{8})\.([0-9a-z]{1,11}) ([0-9a-z]{1,11})$/

export interface Note {
  readonly free: boolean
  /** Looks whether the writer's process still runs: most notes tell enough without that. */
  alive(): boolean
  /** The {@link Writer} that wrote it. */
  readonly by: string
  /** When, by the clock that starts with the boot. */
  readonly atMs: number
}

/** Writes notes, no two of them alike. */
export class Writer {
  readonly id = randomBytes(4).toString('hex')
  readonly #who: Incarnation = currentIncarnation()
  #count = 0

  write(state: 'held' | 'free'): string {
    const { pid, started, boot } = this.#who
    const unique = `${this.id}.${(++this.#count).toString(36)}`
    return `${state} ${pid} ${started} ${short(boot)} ${unique} ${monotonicMs().toString(36)}`
  }

  /** @throws Error when it is no note: then nobody can tell who holds the lock */
  read(text: string): Note {
    const [, state, pid, started, boot, by, , at] = FORM.exec(text) ?? []
    if (at === undefined) throw new Error(`no lock says ${JSON.stringify(text)}; remove its file`)
    const who = { pid: Number(pid), started: started!, boot: this.#who.boot }
    const alive = (): boolean => boot === short(who.boot) && isRunning(who)
    return { free: state === 'free', alive, by: by!, atMs: Number.parseInt(at, 36) }
  }
}

function short(boot: string): string {
  return boot.replaceAll('-', '').slice(0, BOOT_DIGITS) || '-'
}
