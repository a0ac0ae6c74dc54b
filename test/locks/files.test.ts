import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { FileLocks } from '../../src/locks/files.js'
import type { Lease } from '../../src/locks/locks.js'
import { fromBuffer } from '../../src/mail/message.js'
import { Maildirs } from '../../src/store/maildirs.js'
import { locksContract } from '../contracts/locks.js'
import { addressOf } from '../helpers/mail-world.js'
import { testUnless } from '../helpers/programs.js'

const HELPERS = join(import.meta.dirname, '..', 'helpers')
const ARGUMENTS = [
  '--import',
  join(HELPERS, 'typescript-loader.mjs'),
  join(HELPERS, 'lock-holder.mjs'),
]
/** Every holder has been idle for no time at all. */
const LONG_AGO = '0'
/** Far more than a loaded machine needs. */
const PATIENCE = { timeout: 20_000 }
/** More than are looked at in one go. */
const MANY_LEASES = 450
const MANY_MESSAGES = 1_000
/** Messages whose removal may have been begun when the lock was lost. */
const MAX_UNDER_WAY = 200
const noProc = process.platform === 'linux' ? null : 'no /proc tells whether a process is stopped'

const root = await mkdtemp(join(tmpdir(), 'mailtap-locks-'))
let folder: string
let home: string
beforeEach(async () => {
  const place = await mkdtemp(join(root, 'case-'))
  folder = join(place, 'locks')
  home = join(place, 'alice')
})
afterAll(() => rm(root, { recursive: true }))

/** Where other processes see at once that a holder is at work. */
const open = (): Promise<FileLocks> => FileLocks.open(folder, { publishMs: 0 })

locksContract('FileLocks', () => open())

/** A process that does what it is told. */
class Process {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor() {
    const stdio = ['pipe', 'pipe', 'inherit'] as const
    const child = spawn(process.execPath, [...ARGUMENTS, folder, home], { stdio: [...stdio] })
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  static async start(): Promise<Process> {
    const made = new Process()
    onTestFinished(() => void made.#child.kill('SIGKILL'))
    expect((await made.#lines.next()).value).toBe('ready')
    return made
  }

  async ask(words: string): Promise<string> {
    this.tell(words)
    return this.next()
  }

  tell(words: string): void {
    this.#child.stdin!.write(`${words}\n`)
  }

  /** What it says next without being asked again. */
  async next(): Promise<string> {
    return ((await this.#lines.next()) as { value: string }).value
  }

  /** Its state as the system has it, `T` for stopped. */
  async state(): Promise<string> {
    const text = await readFile(`/proc/${this.#child.pid}/stat`, 'latin1')
    return /\) (\S)/.exec(text)![1]!
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  async kill(): Promise<void> {
    const gone = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await gone
  }
}

async function held(locks: FileLocks, takeoverMs?: number): Promise<Lease> {
  const lease = await locks.tryAcquire('a', takeoverMs)
  if (lease === null) throw new Error('the name is not free')
  return lease
}

/** Every file of the locks; the buckets are not counted. */
async function files(): Promise<string[]> {
  const all = await readdir(folder, { recursive: true })
  return all.filter((path) => path.includes('.'))
}

describe('a lock that another process holds', () => {
  test('cannot be had, and is free at once when that process is killed', async () => {
    const other = await Process.start()
    const token = Number(await other.ask('acquire a'))
    const locks = await open()
    expect(await locks.tryAcquire('a')).toBeNull()
    expect(await locks.tryAcquire('a', 3_600_000)).toBeNull()
    expect(await other.ask('valid')).toBe('true')
    await other.kill()
    const lease = await held(locks)
    expect(lease.valid()).toBe(true)
    expect(lease.token).toBeGreaterThan(token)
  })

  test('is free when that process has released it, with a token that went on growing', async () => {
    const other = await Process.start()
    const locks = await open()
    const tokens: number[] = []
    for (let round = 0; round < 3; round++) {
      tokens.push(Number(await other.ask('acquire a')))
      expect(await other.ask('release')).toBe('released')
      const lease = await held(locks)
      tokens.push(lease.token)
      expect(await other.ask('acquire a')).toBe('null')
      await lease.release()
    }
    expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b))
  })

  test('stays with a process that was stopped, until it is taken over for being idle', async () => {
    const other = await Process.start()
    await other.ask('acquire a')
    other.signal('SIGSTOP')
    const locks = await open()
    expect(await locks.tryAcquire('a')).toBeNull()
    const lease = await held(locks, Number(LONG_AGO))
    other.signal('SIGCONT')
    expect(await other.ask('valid')).toBe('false')
    expect(await other.ask('touch')).toBe('true')
    expect(await other.ask('release')).toBe('released')
    expect(lease.valid()).toBe(true)
    expect(await other.ask('acquire a')).toBe('null')
  })

  test('is missed by its idle holder soon after it was taken over, and by nobody else', async () => {
    const other = await Process.start()
    for (const name of ['a', 'b']) await other.ask(`acquire ${name}`)
    const locks = await open()
    await locks.tryAcquire('a', Number(LONG_AGO))
    expect(await other.ask('lost')).toBe('false')
    await locks.tryAcquire('b', Number(LONG_AGO))
    await expect.poll(() => other.ask('lost'), PATIENCE).toBe('true')
  })

  test('is missed by each of many idle holders in one process', async () => {
    const mine = await FileLocks.open(folder, { publishMs: 0, watchMs: 10 })
    const names = Array.from({ length: MANY_LEASES }, (_, n) => `name ${n}`)
    let told = 0
    for (const name of names) (await mine.tryAcquire(name))!.onLost(() => told++)
    const others = await open()
    for (const name of names.slice(1)) await others.tryAcquire(name, Number(LONG_AGO))
    await expect.poll(() => told, PATIENCE).toBe(names.length - 1)
    const last = await others.tryAcquire(names[0]!, Number(LONG_AGO))
    await expect.poll(() => told, PATIENCE).toBe(names.length)
    expect(last!.valid()).toBe(true)
  })

  test('is needed to remove mail: who was taken over while asleep removes nothing', async () => {
    const message = fromBuffer(Buffer.from('Subject: x\n\nhello\n'))
    const options = { home: () => home, roots: () => [home], host: 'mx', reserveBytes: 0 }
    const store = new Maildirs(options)
    const alice = addressOf('alice@example.com')
    await store.append(alice, message)
    const other = await Process.start()
    await other.ask('acquire a')
    expect(await other.ask('open')).toBe('1')
    other.signal('SIGSTOP')
    const lease = await held(await open(), Number(LONG_AGO))
    other.signal('SIGCONT')
    expect(await other.ask('remove')).toBe('RemovalIncomplete 1')
    expect((await store.open(alice)).messages).toHaveLength(1)
    await lease.release()
    await other.ask('acquire a')
    expect(await other.ask('open')).toBe('1')
    expect(await other.ask('remove')).toBe('removed')
    expect((await store.open(alice)).messages).toHaveLength(0)
  })
})

testUnless(
  noProc,
  'who falls asleep in the middle of a removal goes no further than a few messages',
  async () => {
    await mkdir(join(home, 'new'), { recursive: true })
    for (const part of ['cur', 'tmp']) await mkdir(join(home, part))
    for (let n = 0; n < MANY_MESSAGES; n++) {
      await writeFile(join(home, 'new', `${1000 + n}.m.h,S=2,W=3`), 'x\n')
    }
    const other = await Process.start()
    await other.ask('acquire a')
    expect(await other.ask('sleepy 4')).toBe(String(MANY_MESSAGES))
    other.tell('remove')
    await expect.poll(() => other.state(), PATIENCE).toBe('T')
    const lease = await held(await open(), Number(LONG_AGO))
    const before = (await readdir(join(home, 'new'))).length
    other.signal('SIGCONT')
    const said = await other.next()
    const left = (await readdir(join(home, 'new'))).length
    expect(said).toBe(`RemovalIncomplete ${left}`)
    expect(before - left).toBeLessThanOrEqual(MAX_UNDER_WAY)
    expect(left).toBeGreaterThan(MANY_MESSAGES / 2)
    expect(lease.valid()).toBe(true)
  },
)

describe('of many processes', () => {
  test('exactly one gets the lock of a holder that was killed, or is idle', async () => {
    const processes = await Promise.all(Array.from({ length: 8 }, () => Process.start()))
    for (const asked of ['acquire a', 'acquire b', `acquire a ${LONG_AGO}`]) {
      const tokens = await Promise.all(processes.map((one) => one.ask(asked)))
      const won = processes.filter((_, i) => tokens[i] !== 'null')
      const valid = await Promise.all(won.map((one) => one.ask('valid')))
      expect(valid.filter((word) => word === 'true')).toHaveLength(1)
      const winner = won[valid.indexOf('true')]!
      await winner.kill()
      processes.splice(processes.indexOf(winner), 1)
    }
  })

  test('no two hold it at once and no token comes twice, whenever one of them is killed', async () => {
    const log = join(home, '..', 'tokens')
    const written = async (): Promise<number[]> =>
      (await readFile(log, 'latin1').catch(() => '')).split('\n').filter(Boolean).map(Number)
    for (let round = 0; round < 6; round++) {
      const processes = await Promise.all(Array.from({ length: 4 }, () => Process.start()))
      for (const one of processes) one.tell(`storm ${log}`)
      const before = (await written()).length
      await expect.poll(async () => (await written()).length).toBeGreaterThan(before + 50)
      await Promise.all(processes.map((one) => one.kill()))
    }
    const tokens = await written()
    const lease = await held(await open())
    expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b))
    expect(lease.token).toBeGreaterThan(tokens.at(-1)!)
  }, 60_000)
})

describe('locks on the disk', () => {
  test('never have two valid leases, however takeovers and releases mix', async () => {
    const parties = await Promise.all(Array.from({ length: 6 }, open))
    const leases: Lease[] = []
    await Promise.all(
      parties.map(async (locks, party) => {
        for (let round = 0; round < 150; round++) {
          const lease = await locks.tryAcquire('a', (round + party) % 3 === 0 ? 0 : undefined)
          if (lease === null) continue
          leases.push(lease)
          expect(leases.filter((one) => one.valid()).length).toBeLessThanOrEqual(1)
          if (round % 2 === 0) await lease.release()
        }
      }),
    )
    const tokens = leases.map(({ token }) => token)
    expect(new Set(tokens).size).toBe(tokens.length)
    expect(leases.length).toBeGreaterThan(parties.length)
  })

  test('are for their owner only and take one link per name, whatever was done with it', async () => {
    const locks = await open()
    expect((await lstat(folder)).mode & 0o777).toBe(0o700)
    const names = ['a', '../a', 'x'.repeat(5000), 'ä/\0']
    for (let round = 0; round < 5; round++) {
      for (const name of names) await (await locks.tryAcquire(name))!.release()
    }
    expect(await files()).toHaveLength(names.length)
  })

  test('need no directory of a bucket to be made once they are open', async () => {
    await open()
    const made = (await readdir(folder)).map((name) => join(folder, name))
    expect(made).toHaveLength(256)
    expect(FileLocks.directories(folder)).toEqual([folder, ...made.toSorted()])
  })

  test('are not valid when what is on the disk is gone', async () => {
    const lease = await held(await open())
    expect(lease.valid()).toBe(true)
    await rm(join(folder, (await files())[0]!))
    expect(lease.valid()).toBe(false)
  })

  test('are given up by a process that could not write so, when it is asked again', async () => {
    const locks = await open()
    const lease = await held(locks)
    const bucket = join(folder, (await files())[0]!, '..')
    await rename(bucket, `${bucket}-away`)
    await expect(lease.release()).rejects.toThrow('ENOENT')
    await rename(`${bucket}-away`, bucket)
    expect(await (await open()).tryAcquire('a')).toBeNull()
    expect((await held(locks)).token).toBeGreaterThan(lease.token)
  })

  test('of a boot that is over, or of a process whose id another one has, are free', async () => {
    const forgeries = [
      (text: string) => text.replace(/ [0-9a-f]{12} /, ' 000000000000 '),
      (text: string) => text.replace(/ \d+ \d+ /, ` ${process.pid} 1 `),
    ]
    for (const forged of forgeries) {
      await held(await open(), 0)
      const [file] = await files()
      const text = await readlink(join(folder, file!))
      expect(forged(text)).not.toBe(text)
      await rm(join(folder, file!))
      await symlink(forged(text), join(folder, file!))
      await held(await open())
    }
  })

  test('that nobody can read are nobody’s to take', async () => {
    const locks = await open()
    const lease = await held(locks)
    await lease.release()
    const [file] = await files()
    await rm(join(folder, file!))
    await symlink('something else', join(folder, file!))
    await expect((await open()).tryAcquire('a')).rejects.toThrow('no lock says "something else"')
    await rm(join(folder, file!))
    await mkdir(join(folder, file!))
    await expect((await open()).tryAcquire('a')).rejects.toThrow('EINVAL')
  })

  test('of a holder that tells of its work only now and then are not taken before it could have', async () => {
    const [locks, others] = [await FileLocks.open(folder), await FileLocks.open(folder)]
    const lease = await held(locks)
    expect(await others.tryAcquire('a', 0)).toBeNull()
    expect(lease.valid()).toBe(true)
  })
})
