/** Runs programs that are not ours, each in a home of its own and never longer than it may. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'

/** System programs only: no version manager's shims, which look things up in the home. */
const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const PATIENCE_MS = 30_000
const MAX_OUTPUT = 16 * 1024 * 1024

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string | Buffer
  readonly home?: string
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** Where a program is, `null` if it is not installed. */
export function locate(program: string): string | null {
  const found = PATH.map((folder) => join(folder, program)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  return found ?? null
}

/**
 * A test that needs programs. Without them it is skipped with a reason; in CI, where they belong,
 * it fails.
 */
export function testWith(
  programs: readonly string[],
  name: string,
  body: () => Promise<void>,
  timeoutMs = PATIENCE_MS * 2,
): void {
  const missing = programs.filter((program) => locate(program) === null)
  const why = `not installed: ${missing.join(', ')}`
  if (missing.length === 0 || process.env['CI'] === undefined)
    return testUnless(missing.length === 0 ? null : why, name, body, timeoutMs)
  // oxlint-disable-next-line vitest/valid-title -- the caller names it
  test(name, () => {
    throw new Error(why)
  })
}

/**
 * A test that something of this machine may stand in the way of: `obstacle` says what, `null` if
 * nothing does.
 */
export function testUnless(
  obstacle: string | null,
  name: string,
  body: () => Promise<void>,
  timeoutMs = PATIENCE_MS * 2,
): void {
  // oxlint-disable-next-line vitest/valid-title -- the caller names it
  test(name, { timeout: timeoutMs }, async ({ skip }) => {
    if (obstacle === null) return body()
    console.warn(`SKIPPED: ${name}: ${obstacle}`)
    skip(obstacle)
  })
}

/** A home for one program, removed when `use` is done. */
export async function inHome<T>(use: (home: string) => Promise<T>): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), 'mailtap-home-'))
  try {
    return await use(home)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/**
 * Runs it to its end.
 * @throws Error when it takes too long; it is killed then, with its children
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { input = '', home = '/nonexistent', env = {}, timeoutMs = PATIENCE_MS }: RunOptions = {},
): Promise<Ended> {
  const child = spawn(locate(program) ?? program, args, {
    env: { PATH: PATH.join(':'), HOME: home, LC_ALL: 'C.UTF-8', ...env },
    detached: true,
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  let size = 0
  const keep = (pieces: Buffer[]) => (chunk: Buffer) => {
    size += chunk.length
    if (size <= MAX_OUTPUT) pieces.push(chunk)
  }
  child.stdout.on('data', keep(out))
  child.stderr.on('data', keep(err))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  let late = false
  const timer = setTimeout(() => {
    late = true
    killGroup(child.pid)
  }, timeoutMs)
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
    (resolve, reject) => {
      child.once('error', reject)
      child.once('close', (...how) => resolve(how))
    },
  ).finally(() => clearTimeout(timer))
  const stderr = Buffer.concat(err).toString()
  if (late) throw new Error(`${program} took more than ${timeoutMs} ms: ${stderr.slice(-500)}`)
  return { code, signal, stdout: Buffer.concat(out), stderr }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
