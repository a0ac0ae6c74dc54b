import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AlreadyRunning, Instance } from '../../src/service/instance.js'

let folder: string
let program: string
let state: string

/** Starts on the directory, says how that went, and stays until its stdin ends. */
const STARTER = `
import { Instance } from '../../src/service/instance.js'
const instance = new Instance(process.argv[2])
try {
  await instance.start()
  process.stdout.write('won ')
} catch (error) {
  process.stdout.write(error.name + ' ' + error.pid + ' ')
}
process.stdin.on('end', async () => {
  await instance.stop()
  process.exit()
}).resume()
`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailtap-instance-'))
  program = join(folder, 'starter.mjs')
  await build({
    stdin: { contents: STARTER, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
    logLevel: 'error',
  })
})
afterAll(() => rm(folder, { recursive: true }))

let children: ChildProcess[] = []
beforeEach(async () => {
  state = join(await mkdtemp(join(folder, 'case-')), 'state')
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children = []
})

interface Starter {
  readonly pid: number
  /** `won`, or the error's name and the pid in it. */
  readonly outcome: Promise<string>
  /** Lets it stop in order. */
  stop(): Promise<void>
  kill(): Promise<void>
}

function startProcess(): Starter {
  const child = spawn(process.execPath, [program, state], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const gone = once(child, 'close')
  const said = once(child.stdout, 'data') as Promise<[Buffer]>
  return {
    pid: child.pid!,
    outcome: said.then(([words]) => words.toString().trim()),
    stop: async () => {
      child.stdin.end()
      await gone
    },
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
  }
}

const pidFile = (): string => join(state, 'mailtap.pid')
const claimed = async (): Promise<string> => (await readFile(pidFile(), 'utf8')).split('\n')[0]!

/** The error that a start ends in. */
async function refusal(instance: Instance): Promise<AlreadyRunning> {
  const error: unknown = await instance.start().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AlreadyRunning)
  return error as AlreadyRunning
}

describe('an instance', () => {
  test('makes the state directory for its owner only and leaves its process id there', async () => {
    const instance = new Instance(state)
    await instance.start()
    expect((await stat(state)).mode & 0o777).toBe(0o700)
    expect(await readdir(state)).toEqual(['mailtap.pid'])
    expect(await claimed()).toBe(String(process.pid))
    expect((await stat(pidFile())).mode & 0o777).toBe(0o600)
    await instance.stop()
    await instance.stop()
    expect(await readdir(state)).toEqual([])
  })

  test('is refused while another process runs, which the error names', async () => {
    const other = startProcess()
    expect(await other.outcome).toBe('won')
    const error = await refusal(new Instance(state))
    expect(error.pid).toBe(other.pid)
    expect(error.message).toContain(`in use by process ${other.pid}`)
    expect(await readdir(state)).toEqual(['mailtap.pid'])
    await other.stop()
    await new Instance(state).start()
  })

  test('is refused while another one in the same process runs', async () => {
    await new Instance(state).start()
    expect((await refusal(new Instance(state))).pid).toBe(process.pid)
  })

  test('starts after a predecessor that was killed', async () => {
    const other = startProcess()
    await other.outcome
    await other.kill()
    expect(await claimed()).toBe(String(other.pid))
    await new Instance(state).start()
    expect(await claimed()).toBe(String(process.pid))
    expect(await readdir(state)).toEqual(['mailtap.pid'])
  })

  test('starts after a predecessor that was killed and that nobody has waited for', async () => {
    // The shell becomes a program that never waits, so its killed child stays a zombie.
    const script = `"${process.execPath}" "${program}" "${state}" <&0 & exec sleep 60`
    const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    children.push(shell)
    await once(shell.stdout, 'data')
    const pid = Number(await claimed())
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => readFile(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) Z /)
    await new Instance(state).start()
    expect(await claimed()).toBe(String(process.pid))
  })

  test.each([
    [
      'whose process id another process has now',
      (claim: string) => claim.replace(/\n\d+\n/, '\n1\n'),
    ],
    [
      'of before a reboot',
      (claim: string) => claim.replace(/\n[0-9a-f-]{36}\n/, `\n${'0'.repeat(36)}\n`),
    ],
    ['that a power cut left empty', () => ''],
    ['that is no claim at all', () => 'hello\n'],
  ])('takes over from a claim %s', async (_, change) => {
    await new Instance(state).start()
    const claim = await readFile(pidFile(), 'utf8')
    await writeFile(pidFile(), change(claim))
    expect(await readFile(pidFile(), 'utf8')).not.toBe(claim)
    await new Instance(state).start()
    expect(await claimed()).toBe(String(process.pid))
    expect(await readdir(state)).toEqual(['mailtap.pid'])
  })

  test('that stops leaves the claim of a successor alone', async () => {
    const instance = new Instance(state)
    await instance.start()
    await rm(pidFile())
    await new Instance(state).start()
    const successor = await readFile(pidFile(), 'utf8')
    await instance.stop()
    expect(await readFile(pidFile(), 'utf8')).toBe(successor)
  })

  test('clears away what starters left that were killed half-way', async () => {
    const other = startProcess()
    await other.outcome
    await other.kill()
    const dead = await readFile(pidFile())
    await writeFile(join(state, `mailtap.pid.${'a'.repeat(32)}.new`), dead)
    await writeFile(join(state, `mailtap.pid.${'b'.repeat(32)}`), dead)
    await new Instance(state).start()
    expect(await readdir(state)).toEqual(['mailtap.pid'])
  })
})

describe('of many that start at once', () => {
  test('exactly one process gets the directory, and all others know which', async () => {
    for (const predecessor of ['none', 'killed', 'killed']) {
      const starters = Array.from({ length: 10 }, startProcess)
      const outcomes = await Promise.all(starters.map((starter) => starter.outcome))
      const winners = starters.filter((_, i) => outcomes[i] === 'won')
      expect(winners, `predecessor: ${predecessor}; ${outcomes.join(', ')}`).toHaveLength(1)
      expect(await claimed()).toBe(String(winners[0]!.pid))
      expect(outcomes.filter((outcome) => outcome.startsWith('AlreadyRunning'))).toHaveLength(9)
      expect(await readdir(state)).toEqual(['mailtap.pid'])
      await Promise.all(starters.map((starter) => starter.kill()))
    }
  }, 60_000)

  test('exactly one wins however their steps mix, also over the claim of a dead one', async () => {
    for (let round = 0; round < 100; round++) {
      const instances = Array.from({ length: 12 }, () => new Instance(state))
      const results = await Promise.allSettled(instances.map((instance) => instance.start()))
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(AlreadyRunning)
      }
      // As if the winner had been killed: its claim names a boot that is over.
      const claim = await readFile(pidFile(), 'utf8')
      await writeFile(pidFile(), claim.replace(/\n[0-9a-f-]{36}\n/, `\n${'0'.repeat(36)}\n`))
    }
  }, 60_000)

  test('a starter killed at any point holds nobody up', async () => {
    for (let round = 0; round < 12; round++) {
      const doomed = Array.from({ length: 3 }, startProcess)
      await new Promise((resolve) => setTimeout(resolve, 20 + round * 5))
      await Promise.all(doomed.map((starter) => starter.kill()))
    }
    const instance = new Instance(state)
    await instance.start()
    expect(await claimed()).toBe(String(process.pid))
  }, 60_000)
})
