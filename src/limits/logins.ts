/**
 * Failed logins, of all protocols together: who guesses is refused for a while, longer and longer,
 * by address and by network; and where many guess at one user, logins of that user from elsewhere
 * become slow. Nobody can lock a user out: from where somebody has logged in of late, only his own
 * mistakes count, and from anywhere else the user is only slow.
 */
import type { NamedCredentials } from '../cred/credentials.js'
import { LoginThrottled } from '../cred/errors.js'
import type { Attempt, Throttle } from '../cred/throttle.js'
import { type Log, reason } from '../log/log.js'
import { networkOf } from '../net/ip.js'
import type { Networks } from '../net/networks.js'
import { isThisMachine } from '../net/this-machine.js'
import { KnownPlaces } from './known-places.js'
import type { Limiter } from './limits.js'
import { UnderWay } from './under-way.js'

/** Per minute; 0 means no limit. */
export interface FailureLimits {
  /** Failed logins from one IPv4 address or one IPv6 /64; then it is refused for a while. */
  readonly failuresPerAddress: number
  /** Failed logins from one IPv4 /24 or one IPv6 /48; then it is refused for a while. */
  readonly failuresPerNetwork: number
  /** Failed logins of one user; then logins from where he never was are slow. */
  readonly failuresPerUser: number
  /** Clients that are not counted, as those of this machine. */
  readonly trusted: Networks
}

export interface LoginThrottleOptions {
  /** Asked for each login, so that a reload can change them. */
  readonly limits: () => FailureLimits
  readonly limiter: Limiter
  /** One form of all ways to write a login name, whether there is such a user or not. */
  readonly nameOf: (username: string) => string
  readonly log: Log
  /** Milliseconds of a clock that never goes back; the system's unless a test brings its own. */
  readonly now?: () => number
  /** Waits so many milliseconds; by the system's clock unless a test brings its own. */
  readonly sleep?: (milliseconds: number) => Promise<void>
}

const ADDRESS = { ip4: 32, ip6: 64 }
const NETWORK = { ip4: 24, ip6: 48 }
/** The key of a group that is a network and nothing else. */
const OF_NETWORK = /^login \S+\/(?:24|48)$/
/** Slower than that, a mail program gives up, and the user is locked out after all. */
const MAX_DELAY_MS = 4_000
/** How long one waits for others that may use up what is left; milliseconds. */
const PATIENCE_MS = 20_000

/** So many times the limit may fail within so many seconds: who goes on waits longer and longer. */
interface Span {
  readonly seconds: number
  readonly times: number
}

const MINUTE: Span = { seconds: 60, times: 1 }
const HOUR: Span = { seconds: 3_600, times: 3 }
const DAY: Span = { seconds: 86_400, times: 10 }
const STRANGER = [MINUTE, HOUR, DAY]
/** A forgotten telephone that tries an old password all day must not shut out the one beside it. */
const ACQUAINTANCE = [MINUTE, { seconds: 3_600, times: 12 }]

/** Whoever is counted together. */
interface Group {
  readonly key: string
  readonly most: number
  readonly spans: readonly Span[]
}

interface Bucket {
  /** Of its group. */
  readonly group: string
  readonly key: string
  readonly perSecond: number
  readonly burst: number
}

export class LoginThrottle implements Throttle {
  readonly #options: LoginThrottleOptions
  readonly #known: KnownPlaces
  readonly #underWay = new UnderWay()
  readonly #now: () => number
  readonly #sleep: (milliseconds: number) => Promise<void>

  constructor(options: LoginThrottleOptions) {
    const { now = () => performance.now(), sleep = wait } = options
    this.#options = options
    this.#now = now
    this.#known = new KnownPlaces(now)
    this.#sleep = sleep
  }

  async admit({ peer, username }: NamedCredentials): Promise<Attempt> {
    const limits = this.#options.limits()
    if (isThisMachine(peer.address) || limits.trusted.has(peer.address)) return UNCOUNTED
    const user = this.#options.nameOf(username)
    const place = networkOf(peer.address, ADDRESS) ?? peer.address
    const known = this.#known.has(place, user)
    const groups = known ? [pairOf(place, user, limits)] : groupsOf(peer.address, place, limits)
    const buckets = groups.flatMap(bucketsOf)
    const slowed = known ? [] : bucketsOf(userOf(user, limits))
    await this.#slowDown(slowed)
    await this.#enter(buckets)
    return {
      ended: async (outcome) => {
        if (outcome === 'accepted') this.#known.add(place, user)
        if (outcome === 'refused') await this.#count([...buckets, ...slowed])
        this.#underWay.end(namesOf(buckets))
      },
    }
  }

  /** The same wait for names that exist and names that do not. */
  async #slowDown(buckets: readonly Bucket[]): Promise<void> {
    const full = await this.#full(buckets, null)
    if (full === null) return
    this.#options.log.debug('login limit', { limit: 'login_failures_per_user' })
    await this.#sleep(Math.min(full.retryAfterMs, MAX_DELAY_MS))
  }

  /** @throws LoginThrottled */
  async #enter(buckets: readonly Bucket[]): Promise<void> {
    const names = namesOf(buckets)
    const late = this.#now() + PATIENCE_MS
    while (this.#now() < late) {
      // Counted before the limiter is asked: others may come while it is working.
      const counts = this.#underWay.ask(names)
      const full = await this.#full(buckets, counts)
      if (full === null) return this.#underWay.begin(names)
      this.#underWay.giveUp(names)
      // Nobody else is there: it would be one too many.
      if (counts.get(full.group) === 1) throw this.#tooMany(full.group)
      await this.#underWay.change(full.group)
    }
    throw new LoginThrottled('too many logins at once')
  }

  #tooMany(group: string): LoginThrottled {
    const limit = OF_NETWORK.test(group) ? 'network' : 'address'
    this.#options.log.debug('login limit', { limit: `login_failures_per_${limit}`, group })
    return new LoginThrottled(`too many failed: ${group}`)
  }

  /** The first bucket without room for this one and those under way. What cannot be counted has room. */
  async #full(
    buckets: readonly Bucket[],
    counts: ReadonlyMap<string, number> | null,
  ): Promise<{ readonly group: string; readonly retryAfterMs: number } | null> {
    try {
      for (const { group, key, perSecond, burst } of buckets) {
        const cost = counts?.get(group) ?? 1
        const verdict = await this.#options.limiter.peek(key, cost, perSecond, burst)
        if (!verdict.allowed) return { group, retryAfterMs: verdict.retryAfterMs }
      }
    } catch (error) {
      this.#uncounted(error)
    }
    return null
  }

  async #count(buckets: readonly Bucket[]): Promise<void> {
    try {
      for (const { key, perSecond, burst } of buckets) {
        await this.#options.limiter.hit(key, 1, perSecond, burst)
      }
    } catch (error) {
      this.#uncounted(error)
    }
  }

  /** A broken counter must not keep anybody from the mail. */
  #uncounted(error: unknown): void {
    this.#options.log.error('limits not counted', { reason: reason(error) })
  }
}

/** For who is trusted. */
const UNCOUNTED: Attempt = { ended: async () => {} }

/** A user where he is known: strangers cannot use it up, unless they are there, too. */
function pairOf(place: string, user: string, { failuresPerAddress: most }: FailureLimits): Group {
  return { key: `login ${place} ${user}`, most, spans: ACQUAINTANCE }
}

/** The address first: it says more. */
function groupsOf(address: string, place: string, limits: FailureLimits): Group[] {
  const network = networkOf(address, NETWORK) ?? address
  return [
    { key: `login ${place}`, most: limits.failuresPerAddress, spans: STRANGER },
    { key: `login ${network}`, most: limits.failuresPerNetwork, spans: STRANGER },
  ]
}

function userOf(user: string, { failuresPerUser: most }: FailureLimits): Group {
  return { key: `login of ${user}`, most, spans: [MINUTE] }
}

function bucketsOf({ key: group, most, spans }: Group): Bucket[] {
  if (most === 0) return []
  return spans.map(({ seconds, times }) => {
    const burst = most * times
    return { group, key: `${group} in ${seconds}`, perSecond: burst / seconds, burst }
  })
}

function namesOf(buckets: readonly Bucket[]): string[] {
  return [...new Set(buckets.map(({ group }) => group))]
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
