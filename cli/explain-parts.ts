/** Parts of a server that tell what they are asked and what they answer, and change nothing. */
import { countNow } from '../maildir/count-now.js'
import { NOTHING, type Usage } from '../maildir/maildir.js'
import type { Config } from '../src/config/config.js'
import type { Checker } from '../src/cred/checker.js'
import type { Credentials } from '../src/cred/credentials.js'
import type { Directory, Target, User } from '../src/directory/directory.js'
import type { FilesDirectory } from '../src/directory/files.js'
import type { Limiter, Verdict } from '../src/limits/limits.js'
import type { Fields, Level, Log } from '../src/log/log.js'
import { type Address, formatAddress } from '../src/mail/address.js'
import type { Quota } from '../src/mail/quota.js'
import { Refusal } from '../src/mail/refusal.js'
import { homeOf, RESERVE_BYTES, rootsOf } from '../src/parts.js'
import { Quotas } from '../src/store/quotas.js'
import { Room } from '../src/store/room.js'
import type { Store } from '../src/store/store.js'
import type { AccountState, Tell } from './explain-step.js'

/** What the server says only because it believes that there is mail. */
const NOT_TOLD: ReadonlySet<Level> = new Set(['debug', 'info'])
const SECONDS = 60

/** Of the server's log, what is wrong. */
export function tellingLog(tell: Tell): Log {
  const at =
    (level: Level) =>
    (event: string, fields: Fields = {}): void => {
      if (!NOT_TOLD.has(level)) tell({ step: 'log', level, event, fields })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export class TellingDirectory implements Directory {
  readonly #files: FilesDirectory
  readonly #tell: Tell

  constructor(files: FilesDirectory, tell: Tell) {
    this.#files = files
    this.#tell = tell
  }

  async owns(domain: string): Promise<boolean> {
    const ours = await this.#files.owns(domain)
    this.#tell({ step: 'domain', domain, ours })
    return ours
  }

  resolve(address: Address): Promise<readonly Target[]> {
    return this.#files.resolve(address, (found) => this.#tell({ step: 'address', found }))
  }

  user(address: Address): Promise<User | null> {
    return this.#files.user(address)
  }

  qualify(login: string): Address | null {
    return this.#files.qualify(login)
  }

  /** Which other ways to log in there are does not matter to who is believed anyway. */
  secrets(): 'none' {
    return 'none'
  }

  scram(): 'none' {
    return 'none'
  }
}

/** Counts mail itself: the server's own way keeps account of it in the mailbox. */
export class TellingStore implements Store {
  readonly #config: Config
  readonly #tell: Tell
  readonly #quotas: Quotas
  readonly #room: Room
  #usage: Usage = NOTHING

  constructor(config: Config, log: Log, tell: Tell) {
    this.#config = config
    this.#tell = tell
    this.#quotas = new Quotas(log, async (maildir) => (this.#usage = countNow(maildir).usage))
    this.#room = new Room(() => rootsOf(config), RESERVE_BYTES)
  }

  async checkQuota(user: Address, quota: Quota, size: number | null): Promise<void> {
    const home = homeOf(this.#config, user)
    if (home === null) throw new Error('a user without a mailbox')
    this.#usage = NOTHING
    const asked = this.#quotas.check(home, quota, size)
    await this.#told(asked, (refusal) => {
      const facts = { user: formatAddress(user), quota, usage: this.#usage }
      this.#tell({ step: 'quota', ...facts, refusal })
    })
  }

  async checkRoom(size: number | null): Promise<void> {
    const asked = this.#room.check(size)
    await this.#told(asked, (refusal) => this.#tell({ step: 'room', refusal }))
  }

  async open(): Promise<never> {
    throw new Error('no mailbox is opened in a dry run')
  }

  async append(): Promise<never> {
    throw new Error('no mail is delivered in a dry run')
  }

  appendAll(): Promise<never> {
    return this.append()
  }

  async #told(asked: Promise<void>, tell: (refusal: Refusal | null) => void): Promise<void> {
    try {
      await asked
    } catch (error) {
      if (error instanceof Refusal) tell(error)
      throw error
    }
    tell(null)
  }
}

/** Believes everybody to be who they say, as far as the account can be used. */
export class BelievingChecker implements Checker {
  readonly kinds = ['password'] as const
  readonly #directory: Directory
  readonly #anySender: boolean
  readonly #tell: Tell

  constructor(directory: Directory, anySender: boolean, tell: Tell) {
    this.#directory = directory
    this.#anySender = anySender
    this.#tell = tell
  }

  async requestAvatarId(credentials: Credentials): Promise<string | null> {
    if (credentials.kind !== 'password') return null
    const address = this.#directory.qualify(credentials.username)
    const user = address === null ? null : await this.#directory.user(address)
    const state = stateOf(user)
    const name = user === null ? credentials.username : formatAddress(user.address)
    this.#tell({ step: 'account', user: name, state, anySender: this.#anySender })
    return state === 'good' ? name : null
  }
}

function stateOf(user: User | null): AccountState {
  if (user === null) return 'unknown'
  if (user.disabled) return 'disabled'
  return user.password === null ? 'without a password' : 'good'
}

/** Tells the limits that are asked for; what the running server has counted, it alone knows. */
export class TellingLimiter implements Limiter {
  readonly #tell: Tell

  constructor(tell: Tell) {
    this.#tell = tell
  }

  async hit(key: string, _cost: number, perSecond: number): Promise<Verdict> {
    this.#tell({ step: 'rate', what: key, perMinute: Math.round(perSecond * SECONDS) })
    return { allowed: true, retryAfterMs: 0 }
  }

  async peek(): Promise<Verdict> {
    return { allowed: true, retryAfterMs: 0 }
  }
}
