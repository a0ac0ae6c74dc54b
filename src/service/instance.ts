/**
 * One server per state directory: whoever starts puts a claim there, and a claim
 * whose process is gone holds nobody up.
 *
 * `mailtap.pid` is the first claim of a chain. A dead claim is never removed to
 * make room, since between looking and removing it may have become another's.
 * It is succeeded: by the file that bears its id, which only one process can
 * create. Who stands at the end of the chain and lives owns the directory.
 */
import { mkdir } from 'node:fs/promises'
import { Claims, type Claim } from './claims.js'
import { currentIncarnation, isRunning } from '../process/incarnation.js'
import type { Service } from './service.js'

/** How often others may get in between before a start gives up; each time somebody else got further. */
const MAX_TRIES = 100

/** Another server has this state directory. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning'
  readonly pid: number
  constructor(pid: number, stateDir: string) {
    super(
      `${stateDir}: in use by process ${pid}; stop that server first, or name another state directory`,
    )
    this.pid = pid
  }
}

export class Instance implements Service {
  readonly #stateDir: string
  readonly #claims: Claims
  #claim: Claim | null = null

  /** @param stateDir absolute; made, for its owner only, if it is missing */
  constructor(stateDir: string) {
    this.#stateDir = stateDir
    this.#claims = new Claims(stateDir)
  }

  /** @throws AlreadyRunning */
  async start(): Promise<void> {
    if (this.#claim !== null) return
    await mkdir(this.#stateDir, { recursive: true, mode: 0o700 })
    const claim = await this.#claims.prepare(currentIncarnation())
    try {
      await this.#win(claim)
    } catch (error) {
      await this.#claims.withdraw(claim)
      throw error
    }
    this.#claim = claim
  }

  /** Gives up what is ours; a claim that somebody else put there is left alone. */
  async stop(): Promise<void> {
    const claim = this.#claim
    this.#claim = null
    if (claim !== null) await this.#claims.withdraw(claim)
  }

  async #win(claim: Claim): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const last = await this.#claims.last()
      if (last !== null && isRunning(last)) throw new AlreadyRunning(last.pid, this.#stateDir)
      if (await this.#succeed(last, claim)) return
    }
    throw new Error(`${this.#stateDir}: too many servers start at once; start one`)
  }

  /** @returns false if somebody else was faster */
  async #succeed(dead: Claim | null, claim: Claim): Promise<boolean> {
    if (!(await this.#claims.follow(dead, claim))) return false
    // The chain may have moved on after we read it; then we follow a claim that is no longer part of it.
    const last = await this.#claims.last()
    if (last?.id === claim.id) {
      await this.#claims.promote(claim)
      return true
    }
    await this.#claims.unfollow(dead, claim)
    return false
  }
}
