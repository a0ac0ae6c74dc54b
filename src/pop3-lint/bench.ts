/** Opens the connections that rows ask for, logs in, and leaves the mailbox free behind each row. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Capabilities } from './capabilities.js'
import { Client } from './client.js'
import { NoAnswer, Unreachable } from './connection.js'
import { LoginFailed } from './login-failed.js'
import type { LintOptions } from './pop3-lint.js'
import { NumbersMoved } from './numbers-moved.js'
import type { Bench } from './row.js'
import type { StatusLines } from './status-lines.js'
import { type Drop, survey } from './survey.js'

/** Logins that are tried while the session before is just ending, and the time between. */
const MAX_TRIES = 8
const TRY_MS = 500
/** The longest announced LOGIN-DELAY that is waited for. */
const MAX_DELAY_MS = 120_000

export class OpenBench implements Bench {
  readonly #options: LintOptions
  readonly #statusLines: StatusLines
  readonly #open = new Set<Client>()
  before: Capabilities | null = null
  after: Capabilities | null = null
  #drop: Drop | null = null

  private constructor(options: LintOptions, statusLines: StatusLines) {
    this.#options = options
    this.#statusLines = statusLines
  }

  /** Reads the mailbox once. @throws Unreachable, LoginFailed */
  static async prepare(options: LintOptions, statusLines: StatusLines): Promise<OpenBench> {
    const bench = new OpenBench(options, statusLines)
    try {
      bench.before = Capabilities.of(await (await bench.connect()).ask('CAPA'))
      // Some servers move new mail at the first login, and number it anew at the second.
      await (await bench.loginAnew()).leave()
      const client = await bench.loginAnew()
      bench.after = Capabilities.of(await client.ask('CAPA'))
      bench.#drop = await survey(client)
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      const { host, port } = options.target
      throw new Unreachable(`${host} port ${port}: ${error.message}`, { cause: error })
    } finally {
      await bench.clear()
    }
    return bench
  }

  get target() {
    return this.#options.target
  }

  get account() {
    return this.#options.account
  }

  get destructive(): boolean {
    return this.#options.destructive
  }

  get drop(): Drop {
    return this.#drop!
  }

  async connect(): Promise<Client> {
    const client = await this.connectInClear()
    if (this.target.security !== 'stls') return client
    const { ok, status } = await client.stls(this.target.verify)
    // Going on in clear would send the password to whoever took STLS away.
    if (!ok) throw new Unreachable(`${this.target.host}: STLS was refused: ${status}`)
    return client
  }

  async connectInClear(): Promise<Client> {
    const client = await Client.open(this.target, this.#statusLines)
    this.#open.add(client)
    return client
  }

  async login(): Promise<Client> {
    const client = await this.loginAnew()
    const { uidl, list } = this.drop
    const { command, before } = uidl.ok
      ? { command: 'UIDL', before: uidl }
      : { command: 'LIST', before: list }
    const { body } = await client.ask(command)
    const known = before.body?.length ?? 0
    // New mail at the end is no harm.
    if (before.body?.equals(body?.subarray(0, known) ?? Buffer.alloc(0)) === false)
      throw new NumbersMoved()
    return client
  }

  async loginAnew(): Promise<Client> {
    const client = await this.connect()
    const { ok, status } = await client.login(this.account)
    if (ok) return client
    for (let tries = 1; tries < MAX_TRIES && !isFinal(status, this.#drop !== null); tries++) {
      await sleep(this.#pause(status))
      const another = await this.connect()
      const reply = await another.login(this.account)
      if (reply.ok) return another
    }
    throw new LoginFailed(status)
  }

  /** Ends all sessions, politely where nothing is marked. */
  async clear(): Promise<void> {
    const clients = [...this.#open]
    this.#open.clear()
    for (const client of clients) await client.leave()
    if (clients.some(({ lingers }) => lingers)) await this.#settle()
  }

  /** Waits until the server knows that the last session is over. */
  async #settle(): Promise<void> {
    try {
      await this.loginAnew()
    } catch (error) {
      // Rows that need a login will say so themselves.
      if (!isAnswer(error)) throw error
    }
    const clients = [...this.#open]
    this.#open.clear()
    for (const client of clients) await client.leave()
  }

  #pause(status: string): number {
    if (!/^-ERR \[LOGIN-DELAY\]/i.test(status)) return TRY_MS
    const seconds = Number(this.before?.words('LOGIN-DELAY')?.[0])
    return Number.isInteger(seconds) ? Math.min(seconds * 1000, MAX_DELAY_MS) : TRY_MS
  }
}

/** What a server says or does, rather than a fault of ours. */
export function isAnswer(error: unknown): error is Error {
  return [NoAnswer, Unreachable, LoginFailed].some((kind) => error instanceof kind)
}

/** Once the password has been right, a refusal can only be about the moment. */
function isFinal(status: string, wasRight: boolean): boolean {
  return !wasRight && !new LoginFailed(status).passing
}
