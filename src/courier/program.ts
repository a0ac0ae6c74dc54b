/** Runs one program with a message on its standard input, never longer than it may. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import type { Bytes } from '../mail/message.js'
import type { Owner } from './owner.js'
import type { Ended } from './program-outcome.js'

/** Bytes of output that are kept for the log; the rest is read and dropped. */
const MAX_OUTPUT = 4_096
/** Milliseconds that a program has to end by itself after it was asked to. */
const GRACE = 2_000
/** Milliseconds after its end in which its output may still come in: a child of it may hold the pipe. */
const LAST_WORDS = 200

export interface Job {
  /** The program and its arguments. */
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** `null` = as this process. */
  readonly as: Owner | null
  readonly input: Bytes
  readonly timeLimitMs: number
}

export interface Report extends Ended {
  /** The beginning of what it printed, standard output and error together. */
  readonly output: string
  /** It did not end in time and was killed, with all processes of its group. */
  readonly late: boolean
}

/** @throws the system's error when it cannot be started, and what reading the input throws */
export async function runProgram(job: Job): Promise<Report> {
  const [program = '', ...args] = job.command
  const child = spawn(program, args, {
    cwd: job.cwd,
    env: job.env,
    stdio: 'pipe',
    // A group of its own, to be killed as a whole.
    detached: true,
    ...job.as,
  })
  const output = gather(child)
  const limit = new TimeLimit(child, job.timeLimitMs)
  try {
    const [how] = await Promise.all([endOf(child), feed(child, job.input)])
    limit.clear()
    return { ...how, output: await output(), late: limit.passed }
  } finally {
    limit.clear()
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
  }
}

/** Kills the group when the time is over: asks first, then does not ask. */
class TimeLimit {
  passed = false
  readonly #child: ChildProcessWithoutNullStreams
  #timer: NodeJS.Timeout | null

  constructor(child: ChildProcessWithoutNullStreams, ms: number) {
    this.#child = child
    this.#timer = setTimeout(() => this.#end(), ms)
  }

  clear(): void {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    this.#timer = null
    // Whoever was too late leaves nobody behind.
    if (this.passed) killGroup(this.#child, 'SIGKILL')
  }

  #end(): void {
    this.passed = true
    killGroup(this.#child, 'SIGTERM')
    this.#timer = setTimeout(() => killGroup(this.#child, 'SIGKILL'), GRACE)
  }
}

function killGroup({ pid }: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The whole group has ended.
  }
}

function endOf(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    // Not "close": that waits for every process that has inherited the pipes.
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

/** A program need not read all of its mail. @throws what reading the input throws */
async function feed(child: ChildProcessWithoutNullStreams, input: Bytes): Promise<void> {
  const { stdin } = child
  stdin.on('error', () => {})
  // A child of it may hold the pipe and never read.
  child.once('exit', () => stdin.destroy())
  try {
    for await (const chunk of input) if (!(await written(stdin, chunk))) return
  } catch (error) {
    // Before it sees the end: it would take half a message for a whole one.
    killGroup(child, 'SIGKILL')
    throw error
  }
  stdin.end()
}

/** @returns false if nobody reads any more */
function written(stdin: Writable, chunk: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    stdin.write(chunk, (error) => resolve(!error))
  })
}

/** @returns what gives the output up to now */
function gather({ stdout, stderr }: ChildProcessWithoutNullStreams): () => Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  const keep = (chunk: Buffer): void => {
    if (size < MAX_OUTPUT) pieces.push(chunk.subarray(0, MAX_OUTPUT - size))
    size += chunk.length
  }
  for (const stream of [stdout, stderr]) stream.on('data', keep)
  const closed = Promise.all(
    [stdout, stderr].map((stream) => new Promise((end) => stream.once('close', end))),
  )
  return async () => {
    await Promise.race([closed, new Promise((late) => setTimeout(late, LAST_WORDS))])
    return Buffer.concat(pieces).toString()
  }
}
