/**
 * A mailtap as its owner has it: made by `mailtap create`, run as a process of its own from the
 * built program.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Protocol } from '../../src/config/protocols.js'
import { type Ended, runProgram, type RunOptions } from './programs.js'

export const ROOT = join(import.meta.dirname, '..', '..')
/** The built program: `npm run build` makes it, `npm test` does so before the tests. */
export const PROGRAM = join(ROOT, 'dist', 'cli', 'main.js')
export const DOMAIN = 'example.com'
export const PASSWORD = 'sec ret: pass~word'
const READY = /^mailtap ready: (.*)$/m
const START_MS = 20_000
const ANY_PORT = '127.0.0.1:0'
const LISTEN = ['-s', ANY_PORT, '-p', ANY_PORT, '--pop3s', ANY_PORT]

/** Runs the built `mailtap` with these arguments to its end. */
export function mailtapCommand(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: npm run build makes it`)
  return runProgram(process.execPath, [PROGRAM, ...args], options)
}

export class Site {
  readonly folder: string
  readonly #servers: RunningServer[] = []
  #hash: string | null = null

  private constructor(folder: string) {
    this.folder = folder
  }

  /** @param parent where the folder is made; @param create further arguments of `mailtap create` */
  static async create({
    parent = tmpdir(),
    create = LISTEN,
  }: { parent?: string; create?: readonly string[] } = {}): Promise<Site> {
    const site = new Site(await mkdtemp(join(parent, 'mailtap-e2e-')))
    const { folder, config } = site
    const fixed = ['-o', config, '--state', join(folder, 'state'), '-H', 'localhost']
    const domain = ['-d', `${DOMAIN}=${site.mail}`, '-u', 'postmaster', '--generate']
    const { code, stderr } = await mailtapCommand(['create', ...fixed, ...domain, ...create], {
      home: folder,
    })
    if (code !== 0) throw new Error(`mailtap create ended with ${code}: ${stderr}`)
    return site
  }

  get config(): string {
    return join(this.folder, 'mailtap.toml')
  }

  get mail(): string {
    return join(this.folder, 'Maildir')
  }

  /**
   * Copies the certificate that the server made for itself, without its key, for clients that shall
   * trust it.
   */
  async trustedBy(path: string): Promise<string> {
    const pem = await readFile(join(this.folder, 'state', 'tls', 'self-signed.pem'), 'utf8')
    await writeFile(path, pem.slice(pem.indexOf('-----BEGIN CERTIFICATE-----')))
    return path
  }

  /** `mailtap ARGS -c CONFIG` */
  command(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return mailtapCommand([...args, '-c', this.config], { home: this.folder, ...options })
  }

  /** Makes users by dropping files that hold what `mailtap hash` prints, as a script would. */
  async users(...names: string[]): Promise<void> {
    this.#hash ??= await madeHash()
    for (const name of names) await writeFile(this.userFile(name), this.#hash, { mode: 0o600 })
  }

  userFile(name: string): string {
    return join(this.mail, '.users', name)
  }

  async dropUser(name: string): Promise<void> {
    await unlink(this.userFile(name))
  }

  /** Adds text at the end of the config. */
  async configure(toml: string): Promise<void> {
    await appendFile(this.config, `\n${toml}\n`)
  }

  /**
   * @param wrap a program with arguments that runs the server.
   * @throws Error when it ends before it is ready
   */
  async start(wrap: readonly string[] = []): Promise<RunningServer> {
    const server = new RunningServer([...wrap, process.execPath, PROGRAM, 'run', '-c', this.config])
    this.#servers.push(server)
    await server.ready()
    return server
  }

  /** Ends what still runs and removes the folder. */
  async remove(): Promise<void> {
    for (const server of this.#servers) await server.kill('SIGKILL')
    await rm(this.folder, { recursive: true, force: true })
  }
}

async function madeHash(): Promise<string> {
  const args = ['hash', '--password-stdin']
  const { code, stdout, stderr } = await mailtapCommand(args, { input: `${PASSWORD}\n` })
  if (code !== 0) throw new Error(`mailtap hash ended with ${code}: ${stderr}`)
  return stdout.toString()
}

export class RunningServer {
  readonly #child: ChildProcess
  readonly #exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  #output = ''
  #over = false
  #changed: () => void = () => {}

  constructor([file, ...args]: readonly string[]) {
    const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' }
    this.#child = spawn(file!, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const keep = (chunk: Buffer): void => {
      this.#output += chunk.toString()
      this.#changed()
    }
    this.#child.stdout!.on('data', keep)
    this.#child.stderr!.on('data', keep)
    const end = (): void => void this.#child.kill('SIGKILL')
    this.#exit = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        process.off('exit', end)
        this.#over = true
        resolve({ code, signal })
        this.#changed()
      })
    })
    // A test run that is cut short leaves no server behind.
    process.once('exit', end)
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Everything that it has written, both streams. */
  get output(): string {
    return this.#output
  }

  get readyLine(): string {
    return READY.exec(this.#output)?.[1] ?? ''
  }

  /** The port that the ready line names for this protocol. */
  port(protocol: Protocol): number {
    const match = new RegExp(`\\b${protocol} on [^ ,]*:(\\d+)`).exec(this.readyLine)
    if (match === null) throw new Error(`no ${protocol} in ${this.#output}`)
    return Number(match[1])
  }

  get ports(): { smtp: number; pop3: number } {
    return { smtp: this.port('smtp'), pop3: this.port('pop3') }
  }

  async ready(): Promise<void> {
    await this.says(READY)
  }

  /** Waits until its output has that. @throws Error when it ends without, or is too slow */
  async says(pattern: RegExp): Promise<void> {
    const late = performance.now() + START_MS
    while (!pattern.test(this.#output)) {
      if (this.#over) throw new Error(`ended without ${pattern}: ${this.#output}`)
      const left = late - performance.now()
      if (left <= 0) throw new Error(`no ${pattern} in time: ${this.#output}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#changed = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** Sends the signal and waits for the end. */
  kill(signal: NodeJS.Signals): ReturnType<RunningServer['ended']> {
    if (!this.#over) this.#child.kill(signal)
    return this.ended()
  }

  ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return this.#exit
  }
}
