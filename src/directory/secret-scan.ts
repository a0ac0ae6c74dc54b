/**
 * What the accounts in files store, clear secrets or the keys of SCRAM: found
 * out by a look at the files in the background, and corrected by every login in between.
 */
import { reason, type Log } from '../log/log.js'
import { NOBODY, NOTHING, type Shares, sharesOf, together, UNKNOWN } from './secrets.js'
import type { UserFile } from './user-file.js'
import type { Users } from './users.js'

/** User files that one scan reads, of all domains together; accounts beyond may store anything. */
export const MAX_SCANNED = 10_000
/** Milliseconds after a scan in which questions start no other. */
const RESCAN_AFTER = 60_000

/** One scan under way. */
interface Scan {
  /** What was found up to now. */
  found: Shares
  /** User files that were read. */
  read: number
}

export class SecretScan {
  readonly #log: Log
  readonly #now: () => number
  /** By domain. */
  readonly #users: () => ReadonlyMap<string, Users>
  #known: Shares = UNKNOWN
  #scannedAt = -Infinity
  #running: Scan | null = null
  /** By domain: what was logged last, so that it is not logged every minute. */
  #complaints: ReadonlyMap<string, string> = new Map()

  /** @param now milliseconds of a clock that never goes back */
  constructor(users: () => ReadonlyMap<string, Users>, log: Log, now: () => number) {
    this.#users = users
    this.#log = log
    this.#now = now
  }

  /** The latest answer, without waiting; an old one starts a scan. */
  current(): Shares {
    const old = this.#now() - this.#scannedAt >= RESCAN_AFTER
    if (old && this.#running === null) void this.scan()
    return this.#known
  }

  /** Takes in an account that was just read. Only a scan can say that all are like it. */
  note(file: UserFile): void {
    const seen = sharesOf(file)
    // A scan that read the file before it was changed must not win.
    if (this.#running !== null) this.#running.found = together(this.#running.found, seen)
    this.#known = together(this.#known, seen)
  }

  /** Looks at the files now, instead of a scan that is under way. Bounded; never throws. */
  async scan(): Promise<void> {
    const scan: Scan = { found: NOBODY, read: 0 }
    this.#running = scan
    const complaints = new Map<string, string>()
    for (const [name, users] of this.#users()) {
      if (!this.#wanted(scan)) break
      await this.#domain(users, scan).catch((error: unknown) => {
        complaints.set(name, reason(error))
        scan.found = UNKNOWN
      })
    }
    if (this.#running === scan) this.#finish(scan, complaints)
  }

  async #domain(users: Users, scan: Scan): Promise<void> {
    for await (const local of users.names()) {
      if (!this.#wanted(scan)) return
      const found = ++scan.read > MAX_SCANNED ? UNKNOWN : await read(users, local)
      scan.found = together(scan.found, found)
    }
  }

  /** False once another scan has begun, or once nothing can change what this one says. */
  #wanted(scan: Scan): boolean {
    const { secrets, scram } = scan.found
    return this.#running === scan && (secrets !== 'some' || scram !== 'some')
  }

  #finish({ found }: Scan, complaints: ReadonlyMap<string, string>): void {
    // Only now: a scan must not take back for a while what is offered all along.
    this.#known = { secrets: found.secrets ?? 'none', scram: found.scram ?? 'none' }
    this.#scannedAt = this.#now()
    this.#running = null
    for (const [domain, what] of complaints) {
      if (this.#complaints.get(domain) === what) continue
      this.#log.warn('users unreadable', { domain, reason: what })
    }
    this.#complaints = complaints
  }
}

/** One broken file says nothing about the others, and serves no challenge. */
async function read(users: Users, local: string): Promise<Shares> {
  try {
    const file = await users.read(local)
    return file === null ? NOBODY : sharesOf(file)
  } catch {
    return NOTHING
  }
}
