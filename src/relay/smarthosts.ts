/** Hands a message to the smarthosts of a route: one after the other, until one of them speaks about it. */
import { type Log, reason } from '../log/log.js'
import type { Message } from '../mail/message.js'
import { Refusal } from '../mail/refusal.js'
import { formatSmarthost, type Smarthost } from '../mail/smarthost.js'
import { DownMemory } from './down-memory.js'
import type { Hop, HopResult } from './hop.js'
import { type IsOurselves, OwnServers } from './own-servers.js'
import { everyone, later } from './outcomes.js'
import type { RelayOutcome, RelayWork } from './relay.js'
import { RouteFiles } from './route-files.js'
import type { RouteSettings } from './routes.js'
import { hopOf } from './smarthost-hop.js'

/** Whoever speaks SMTP and LMTP with other servers. */
export interface HopDelivery {
  /** Never throws, always ends. */
  hand(hop: Hop, work: RelayWork, message: Message): Promise<HopResult>
  close(): Promise<void>
}

export interface SmarthostsOptions {
  readonly hops: HopDelivery
  /** Whether we take mail at that IP address and port. */
  readonly isOurselves: IsOurselves
  readonly log: Log
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
}

interface Candidate {
  readonly key: string
  readonly smarthost: Smarthost
}

export class Smarthosts {
  readonly #options: SmarthostsOptions
  readonly #own: OwnServers
  readonly #down: DownMemory
  readonly #files: RouteFiles

  constructor(options: SmarthostsOptions) {
    this.#options = options
    this.#own = new OwnServers(options.isOurselves, options.now)
    this.#down = new DownMemory(options.now)
    this.#files = new RouteFiles(options.now)
  }

  /** Forgets what it knows of servers that are in no route any more. */
  keep(routes: readonly RouteSettings[]): void {
    this.#down.keep(new Set(routes.flatMap(candidates).map(({ key }) => key)))
  }

  /** One outcome per recipient; servers that are all of no use now are no reason to give up. */
  async deliver(
    route: RouteSettings,
    work: RelayWork,
    message: Message,
  ): Promise<readonly RelayOutcome[]> {
    let left = candidates(route)
    const failures: Refusal[] = []
    for (;;) {
      const candidate = this.#down.next(left)
      if (candidate === null) return everyone(work, verdict(failures, work))
      left = left.filter((each) => each !== candidate)
      const result = await this.#attempt(route, candidate, work, message)
      if (result.kind === 'answered') return result.outcomes
      failures.push(result.why)
    }
  }

  async #attempt(
    route: RouteSettings,
    { key, smarthost }: Candidate,
    work: RelayWork,
    message: Message,
  ): Promise<HopResult> {
    const hopeless = this.#down.hopeless(key)
    if (hopeless !== null) return { kind: 'unusable', why: hopeless }
    const end = this.#down.begin(key)
    try {
      if (await this.#own.has(smarthost.host, smarthost.port)) return this.#loop(route, smarthost)
      const hop = await hopOf(route, smarthost, work.requireTls, this.#files)
      const result = await this.#options.hops.hand(hop, work, message)
      // What is not good enough for this mail may be for the next one.
      const picky = result.kind === 'unusable' && forbidsIt(result.why, work)
      return picky ? result : this.#noted(route, key, result)
    } catch (error) {
      return this.#noted(route, key, { kind: 'unusable', why: unprepared(error) })
    } finally {
      end()
    }
  }

  #noted(route: RouteSettings, key: string, result: HopResult): HopResult {
    const { log } = this.#options
    const fields = { route: route.name, server: key.slice(route.name.length + 1) }
    if (result.kind === 'answered') {
      if (this.#down.success(key)) log.info('relay server works again', fields)
    } else {
      const seconds = Math.round(this.#down.failure(key, result.why) / 1_000)
      log.warn('relay server set aside', { ...fields, why: reason(result.why), seconds })
    }
    return result
  }

  #loop({ name }: RouteSettings, smarthost: Smarthost): HopResult {
    const server = formatSmarthost(smarthost)
    this.#options.log.error('relay server is this one', { route: name, server })
    return { kind: 'unusable', why: ourselves() }
  }
}

/** RFC 3463: routing loop detected. */
const LOOP = '5.4.6'

/** RFC 8689 section 5: this mail must not go on without TLS. */
const NO_TLS = '5.7.30'

const forbidsIt = ({ status }: Refusal, { requireTls }: RelayWork): boolean =>
  requireTls && status === NO_TLS

/**
 * What servers that are all of no use now mean for the mail: "later" if one of them may be of use
 * then. For good: REQUIRETLS that none of them obeys, and a way that leads back to this server.
 */
function verdict(failures: readonly Refusal[], work: RelayWork): Refusal {
  // That a server is this one is a reason only where there is no other.
  const others = failures.filter(({ status }) => status !== LOOP)
  const passing = others.findLast((why) => !forbidsIt(why, work))
  if (passing !== undefined) return later(passing)
  return others.at(-1) ?? failures.at(-1) ?? noServer()
}

const ourselves = (): Refusal =>
  new Refusal(554, LOOP, 'mail loop: the relay that is set up here is this server itself')

const noServer = (): Refusal =>
  new Refusal(451, '4.3.5', 'no server to hand this mail to; the administrator has to look')

/** A secret that cannot be read, or a fault of ours. */
const unprepared = (cause: unknown): Refusal =>
  new Refusal(451, '4.3.5', 'the relay of this server is set up wrongly; try again later', {
    cause,
  })

function candidates({ name, via }: RouteSettings): Candidate[] {
  if (via === 'mx') return []
  return via.map((smarthost) => ({ key: `${name} ${formatSmarthost(smarthost)}`, smarthost }))
}
