/** Runs a script on the library under strace, and reads what the system was really asked. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from './helpers.js'
import { program } from './program.js'

const CALLS = 'openat,write,fsync,fdatasync,close,link,linkat,rename,renameat2,unlink,mkdir'

export interface Call {
  readonly name: string
  readonly text: string
  readonly result: string
  /** Position in the trace at which it began, and at which it ended. */
  readonly began: number
  readonly ended: number
}

/** Why nothing can be traced here; `null` if it can. */
export function untraceable(): string | null {
  const { error, status, stderr } = spawnSync('strace', ['-e', 'trace=none', 'true'])
  if (error) return 'strace is not installed'
  return status === 0 ? null : `strace may not trace here: ${stderr.toString().trim()}`
}

/**
 * Runs a program (see program.ts).
 * @param inject strace's fault injections, such as `fsync:error=EIO:when=1`;
 *   strace counts the calls of each thread by themselves
 * @param threads of libuv's pool
 * @returns what it printed, and the calls that name something below `scope`
 */
export function trace(
  script: string,
  scope: string,
  { inject = [] as readonly string[], threads = 4 } = {},
): { printed: string; calls: readonly Call[] } {
  const log = join(temporaryDirectory(), 'trace')
  const faults = inject.flatMap((fault) => ['-e', `inject=${fault}`])
  const args = [
    '-f',
    '--seccomp-bpf',
    '-y',
    '-s',
    '300',
    '-o',
    log,
    '-e',
    `trace=${CALLS}`,
    ...faults,
  ]
  const env = { ...process.env, UV_THREADPOOL_SIZE: `${threads}`, UV_USE_IO_URING: '0' }
  const run = spawnSync('strace', [...args, process.execPath, ...program(script)], {
    env,
    encoding: 'utf8',
  })
  if (run.status !== 0) throw new Error(`the traced program failed: ${run.stderr}`)
  const calls = parse(fs.readFileSync(log, 'utf8'))
  return { printed: run.stdout, calls: calls.filter(({ text }) => text.includes(scope)) }
}

/** Joins calls that strace wrote in two parts because another thread came between. */
function parse(log: string): Call[] {
  const begun = new Map<string, { text: string; began: number }>()
  const calls: Call[] = []
  for (const [at, line] of log.split('\n').entries()) {
    const [, pid, rest] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (pid === undefined || rest === undefined) continue
    const first = / <unfinished \.\.\.>$/.exec(rest)
    if (first) {
      begun.set(pid, { text: rest.slice(0, first.index), began: at })
      continue
    }
    const second = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const start = second ? begun.get(pid) : undefined
    const text = (start?.text ?? '') + (second?.[1] ?? rest)
    calls.push({ ...named(text), text, began: start?.began ?? at, ended: at })
  }
  return calls
}

function named(text: string): { name: string; result: string } {
  const [, name = '', result = ''] = /^(\w+)\(.*\) += (.*)$/.exec(text) ?? []
  return { name, result }
}
