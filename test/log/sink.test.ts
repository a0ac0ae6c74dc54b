import { createWriteStream } from 'node:fs'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MAX_BACKLOG, Sink } from '../../src/log/sink.js'

/** A stream that confirms or fails each write when told to. */
class Valve extends Writable {
  readonly written: string[] = []
  #pending: (() => void) | null = null
  fault: Error | null = null

  constructor() {
    super({ decodeStrings: false })
  }

  override _write(text: string, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#pending = () => {
      if (this.fault === null) this.written.push(text)
      done(this.fault)
    }
  }

  /** Answers the write that waits, and gives the next one time to come. */
  async turn(): Promise<void> {
    await tick()
    const pending = this.#pending
    this.#pending = null
    pending?.()
    await tick()
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function open(): { valve: Valve; sink: Sink; told: number[] } {
  const valve = new Valve()
  const told: number[] = []
  return { valve, sink: new Sink(valve, (lost) => told.push(lost)), told }
}

describe('the sink', () => {
  test('writes the lines of one tick at once, in order', async () => {
    const { valve, sink } = open()
    for (const line of ['a\n', 'b\n', 'c\n']) sink.write(line)
    await valve.turn()
    sink.write('d\n')
    await valve.turn()
    expect(valve.written).toEqual(['a\nb\nc\n', 'd\n'])
  })

  test('keeps a bounded number of characters for a stream that stands still', async () => {
    const { valve, sink, told } = open()
    const line = `${'x'.repeat(1_023)}\n`
    for (let i = 0; i < 1_500; i++) sink.write(line)
    await tick()
    for (let i = 0; i < 500; i++) sink.write(line)
    expect(sink.lost).toBe(2_000 - MAX_BACKLOG / 1_024)

    await valve.turn()
    expect(told).toEqual([976])
    expect(sink.lost).toBe(0)
    sink.write('again\n')
    await valve.turn()
    expect(valve.written.at(-1)).toBe('again\n')
  })

  test('counts what an error loses, and tells when lines can be written again', async () => {
    const { valve, sink, told } = open()
    valve.fault = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    sink.write('a\n')
    sink.write('b\n')
    await valve.turn()
    sink.write('c\n')
    await valve.turn()
    expect({ lost: sink.lost, told }).toEqual({ lost: 3, told: [] })
  })

  test('begins a new line after an error, for the last one may be half written', async () => {
    const { written, told } = await failingOnce()
    expect(written).toEqual(['\nb\n'])
    expect(told).toEqual([1])
  })

  test('is flushed once the last line was taken', async () => {
    const { valve, sink } = open()
    sink.write('a\n')
    let flushed = false
    const flush = sink.flush().then(() => (flushed = true))
    await tick()
    expect(flushed).toBe(false)
    await valve.turn()
    await flush
    expect(valve.written).toEqual(['a\n'])
    await sink.flush()
  })
})

/** A stream whose first write fails and whose second works, as a file on a disk that was full. */
async function failingOnce(): Promise<{ written: string[]; told: number[] }> {
  const written: string[] = []
  const told: number[] = []
  let tries = 0
  const write = (text: string, done: (error?: Error | null) => void): boolean => {
    if (tries++ > 0) written.push(text)
    queueMicrotask(() => done(tries === 1 ? new Error('full') : null))
    return true
  }
  const sink = new Sink(Object.assign(new Writable(), { write }), (lost) => told.push(lost))
  sink.write('a\n')
  await sink.flush()
  sink.write('b\n')
  await sink.flush()
  return { written, told }
}

describe('a log on a real target', () => {
  let folder: string
  let program: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mailtap-log-'))
    program = join(folder, 'talk.mjs')
    await build({
      stdin: { contents: TALK, resolveDir: import.meta.dirname, loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: program,
      logLevel: 'error',
    })
  })

  afterAll(() => rm(folder, { recursive: true }))

  test('writes a file in which no line is missing', async () => {
    const path = join(folder, 'log')
    const stream = createWriteStream(path)
    const sink = new Sink(stream, () => {})
    for (let i = 0; i < 5_000; i++) sink.write(`line ${i}\n`)
    await sink.flush()
    const lines = (await readFile(path, 'utf8')).split('\n')
    expect(lines).toHaveLength(5_001)
    expect(lines[4_999]).toBe('line 4999')
    stream.end()
  })

  test('on a full disk the process goes on and ends as if nothing was', async () => {
    expect(await talk('> /dev/full')).toBe('survived, lost some\n')
  })

  test('when its reader is gone the process goes on and ends as if nothing was', async () => {
    expect(await talk('| true')).toBe('survived, lost some\n')
  })

  test('when its reader stands still the process goes on and still ends', async () => {
    expect(await talk('| sleep 3')).toBe('survived, lost some\n')
  })

  test('a pipe gets every line before the process ends', async () => {
    // No more than the sink keeps: a slow reader must not cost a line.
    const { stdout } = await run(`node ${program} 5 | wc -l`)
    expect(stdout.trim()).toBe('5000')
  })

  /** @returns what the program said on stderr */
  async function talk(redirection: string): Promise<string> {
    const { stderr } = await run(`node ${program} 20 ${redirection}`)
    return stderr
  }
})

const run = (command: string) => promisify(execFile)('/bin/sh', ['-c', command])

/** Logs 20,000 lines in slices, then flushes and says how it went. */
const TALK = `
import { Sink } from '../../src/log/sink.js'
const sink = new Sink(process.stdout, () => {})
const line = 'x'.repeat(199) + '\\n'
for (let slice = 0; slice < process.argv[2]; slice++) {
  for (let i = 0; i < 1_000; i++) sink.write(line)
  await new Promise((resolve) => setTimeout(resolve, 5))
}
await sink.flush()
process.stderr.write(sink.lost > 0 ? 'survived, lost some\\n' : 'survived\\n')
process.exit(0)
`
