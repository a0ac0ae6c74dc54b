/**
 * All processes of a server under test, those included that come and go: what CPU they
 * used and what memory they have. A control group knows the CPU to the nanosecond; where
 * none can be made, /proc tells it by the tick, of the living and of those they waited for.
 */
import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const V1 = '/sys/fs/cgroup/cpuacct'
const V2 = '/sys/fs/cgroup'
/** Milliseconds that a server has to end by itself, and its children after it. */
const STOP_MS = 20_000
const TRY_MS = 20
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Where this process is, and where a group of its own was made. */
interface Places {
  readonly home: string
  readonly own: string
}

/** What /proc/PID/stat says of a process; it is another one if `started` differs. */
interface Process {
  readonly pid: number
  readonly parent: number
  readonly started: string
  /** Of its own and of its ended children. */
  readonly ticks: number
}

/** Those that are to be ended when the benchmark itself ends too early. */
const running = new Set<Group>()
process.once('exit', () => running.forEach((group) => group.kill()))

export class Group {
  readonly #places: Places | null
  #child: ChildProcess | null = null

  private constructor(places: Places | null) {
    this.#places = places
  }

  /** @param name is no other group's */
  static open(name: string): Group {
    const group = new Group(ownGroup(name))
    running.add(group)
    return group
  }

  get way(): string {
    return this.#places === null ? '/proc' : 'a control group'
  }

  /** The child is born in the group, and so are its children. */
  launch(spawn: () => ChildProcess): ChildProcess {
    this.#move('own')
    try {
      return (this.#child = spawn())
    } finally {
      this.#move('home')
    }
  }

  /** Milliseconds of CPU that all of them used so far. */
  cpu(): number {
    if (this.#places === null) return this.#ticks() * (1_000 / TICKS_PER_SECOND)
    const v1 = join(this.#places.own, 'cpuacct.usage')
    if (existsSync(v1)) return Number(readFileSync(v1, 'latin1')) / 1e6
    const stat = readFileSync(join(this.#places.own, 'cpu.stat'), 'latin1')
    return Number(/^usage_usec (\d+)$/m.exec(stat)?.[1]) / 1e3
  }

  /** Bytes of memory, what processes share counted once (Pss of proc_pid_smaps(5)). */
  memory(): number {
    return this.#tree().reduce((sum, { pid }) => sum + pss(pid), 0)
  }

  /** Ends the server as its admin would, and by force what has not ended in time. */
  async stop(): Promise<void> {
    const all = this.#tree()
    const child = this.#child
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await Promise.race([ended, sleep(STOP_MS, null, { ref: false })])
    }
    const late = performance.now() + STOP_MS
    while (all.some(alive) && performance.now() < late) await sleep(TRY_MS)
    all.filter(alive).forEach(kill)
    while (!this.#removed() && performance.now() < late + STOP_MS) await sleep(TRY_MS)
    running.delete(this)
  }

  /** At once, by force: on the way out nothing can be waited for but by standing still. */
  kill(): void {
    this.#tree().forEach(kill)
    const late = performance.now() + STOP_MS
    while (!this.#removed() && performance.now() < late) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRY_MS)
    }
  }

  /** The kernel takes a moment to forget the last process. */
  #removed(): boolean {
    try {
      if (this.#places !== null) rmdirSync(this.#places.own)
      return true
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'EBUSY'
    }
  }

  #move(to: keyof Places): void {
    if (this.#places !== null) {
      writeFileSync(join(this.#places[to], 'cgroup.procs'), String(process.pid))
    }
  }

  #ticks(): number {
    return this.#tree().reduce((sum, { ticks }) => sum + ticks, 0)
  }

  /** The server and all that descend from it. */
  #tree(): readonly Process[] {
    const found = new Set<number>()
    if (this.#child?.pid !== undefined) found.add(this.#child.pid)
    const all = processes()
    for (let before = -1; before !== found.size;) {
      before = found.size
      for (const { pid, parent } of all) if (found.has(parent)) found.add(pid)
    }
    return all.filter(({ pid }) => found.has(pid))
  }
}

/** @returns `null` where no group can be made */
function ownGroup(name: string): Places | null {
  try {
    const groups = readFileSync('/proc/self/cgroup', 'latin1')
    const v1 = /^\d+:(?:\S*,)?cpuacct(?:,\S*)?:(.*)$/m.exec(groups)?.[1]
    const v2 = /^0::(.*)$/m.exec(groups)?.[1]
    const home = v1 === undefined ? join(V2, v2 ?? '') : join(V1, v1)
    if (!existsSync(join(home, v1 === undefined ? 'cpu.stat' : 'cpuacct.usage'))) return null
    const own = join(home, name)
    mkdirSync(own)
    return { home, own }
  } catch {
    return null
  }
}

function processes(): readonly Process[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map((pid) => look(Number(pid))).filter((each) => each !== null)
}

/** @returns `null` if it is gone */
function look(pid: number): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // What follows the name, which may hold blanks; field 3 of proc_pid_stat(5) is the first.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0)
    return { pid, parent: Number(fields[1]), started: fields[19] ?? '', ticks }
  } catch {
    return null
  }
}

function alive({ pid, started }: Process): boolean {
  return look(pid)?.started === started
}

function kill({ pid }: Process): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}

function pss(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
    return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1_024
  } catch {
    return 0
  }
}
