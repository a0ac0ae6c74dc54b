/**
 * Direct delivery (RFC 5321 section 5): tries the servers of a domain in their
 * order until one says something about the mail. What that one says is final
 * for this time, also a "later": another server of the same domain would know no more.
 */
import { type Log, reason } from '../log/log.js'
import type { Message } from '../mail/message.js'
import { Refusal, tryLater } from '../mail/refusal.js'
import { type Dns, DnsFailure } from './dns.js'
import { DnsMemory } from './dns-memory.js'
import type { Hop, HopResult } from './hop.js'
import type { MtaSts, StsFinding } from './mta-sts.js'
import { type Candidate, MxCandidates, type Ourselves } from './mx-candidates.js'
import { everyone } from './outcomes.js'
import type { RelayOutcome, RelayWork } from './relay.js'
import type { DestinationTls } from './routes.js'
import type { DomainDelivery } from './routing-relay.js'
import { asksMtaSts } from './tls-policy.js'

const PORT = 25
/** Addresses that are tried, also those that are left alone. */
const MAX_ATTEMPTS = 20
/** Milliseconds after which no other server is begun with; what is under way ends by itself. */
const STOP_AFTER_MS = 120_000
/** Milliseconds for which a server that could not be used is left alone: less than the queue waits. */
const DOWN_FOR_MS = 60_000
const MAX_DOWN = 10_000
const NO_STS: StsFinding = { policy: null, certain: true }

/** Hands a message to one server. Never throws. */
export type Hand = (hop: Hop, work: RelayWork, message: Message) => Promise<HopResult>

export interface MxSettings {
  readonly dns: Dns
  readonly sts: MtaSts
  readonly hand: Hand
  /** Loopback and unspecified addresses belong to it. */
  readonly ourselves: Ourselves
  readonly log: Log
  readonly port?: number
}

export class MxDelivery implements DomainDelivery {
  readonly #settings: MxSettings
  readonly #candidates: MxCandidates
  /** Why a server is left alone. */
  readonly #down = new DnsMemory<Refusal>(MAX_DOWN)

  constructor(settings: MxSettings) {
    this.#settings = settings
    this.#candidates = new MxCandidates(settings.dns, settings.ourselves, settings.log)
  }

  /**
   * @param domain of all recipients: A-labels in lower case, or an address literal
   * @returns one outcome per recipient, in order. Never throws, always ends
   */
  async deliver(
    domain: string,
    work: RelayWork,
    message: Message,
    policy: DestinationTls,
  ): Promise<readonly RelayOutcome[]> {
    try {
      return await this.#deliver(domain, work, message, policy)
    } catch (error) {
      const facts = { id: work.id, domain, why: reason(error) }
      const known = error instanceof DnsFailure
      this.#settings.log[known ? 'info' : 'error']('mx delivery failed', facts)
      return everyone(work, known ? dnsFailed(domain, error) : tryLater(error))
    }
  }

  async #deliver(
    domain: string,
    work: RelayWork,
    message: Message,
    policy: DestinationTls,
  ): Promise<readonly RelayOutcome[]> {
    const { port = PORT } = this.#settings
    const { requireTls } = work
    const sts = await this.#sts(domain, policy, requireTls)
    const failures = new Failures(domain)
    for await (const next of this.#candidates.of({ domain, policy, sts, requireTls, port })) {
      if (failures.enough()) break
      const hop = next instanceof Refusal ? null : next
      const result = await this.#try(next, work, message)
      if (result.kind === 'answered') return result.outcomes
      failures.add(result.why, hop)
    }
    return failures.outcomes(work)
  }

  async #sts(domain: string, policy: DestinationTls, requireTls: boolean): Promise<StsFinding> {
    const asks = asksMtaSts(policy, requireTls) && !domain.startsWith('[')
    return asks ? this.#settings.sts.find(domain) : NO_STS
  }

  async #try(next: Candidate, work: RelayWork, message: Message): Promise<HopResult> {
    if (next instanceof Refusal) return unusable(next)
    const known = this.#down.get(keyOf(next, work))
    return known === undefined ? this.#hand(next, work, message) : unusable(known)
  }

  async #hand(hop: Hop, work: RelayWork, message: Message): Promise<HopResult> {
    const result = await this.#settings.hand(hop, work, message)
    const key = keyOf(hop, work)
    if (result.kind === 'answered') {
      this.#down.delete(key)
      return result
    }
    this.#down.set(key, result.why, DOWN_FOR_MS)
    const facts = { id: work.id, host: hop.name, address: hop.address, why: result.why.message }
    this.#settings.log.info('mx unusable', facts)
    return result
  }
}

/** What is of no use with TLS as it is asked here may be of use to another message. */
function keyOf({ address, port, tls }: Hop, { requireTls }: RelayWork): string {
  const names = 'names' in tls ? tls.names.join(' ') : ''
  return `${address} ${port} ${tls.kind} ${requireTls} ${names}`
}

const unusable = (why: Refusal): HopResult => ({ kind: 'unusable', why })

/** What went wrong on the way from server to server. */
class Failures {
  readonly #domain: string
  readonly #began = performance.now()
  #tried = 0
  /** The last one that may pass, else the last one. */
  #last: { readonly why: Refusal; readonly hop: Hop | null } | null = null

  constructor(domain: string) {
    this.#domain = domain
  }

  /** @param hop `null` = nobody was asked */
  add(why: Refusal, hop: Hop | null): void {
    if (hop !== null) this.#tried++
    // For good only if every one says so: another server may take it tomorrow.
    if (why.temporary || this.#last?.why.temporary !== true) this.#last = { why, hop }
  }

  /** No other server is to be tried this time. */
  enough(): boolean {
    const enough = this.#tried >= MAX_ATTEMPTS || performance.now() - this.#began > STOP_AFTER_MS
    if (enough && this.#last?.why.temporary !== true) this.add(allBusy(this.#domain), null)
    return enough
  }

  outcomes(work: RelayWork): readonly RelayOutcome[] {
    const { why, hop } = this.#last ?? { why: allBusy(this.#domain), hop: null }
    // A server alone says "never"; "later" may as well be our own word for its silence.
    const by = hop === null || why.temporary ? null : `${hop.name} [${hop.address}]`
    return everyone(work, why).map((outcome) => ({ ...outcome, by }))
  }
}

function allBusy(domain: string): Refusal {
  return new Refusal(451, '4.4.1', `no mail server of ${domain} could be used in time`)
}

/** RFC 3463: 4.4.3. */
function dnsFailed(domain: string, cause: unknown): Refusal {
  return new Refusal(451, '4.4.3', `the DNS cannot tell the mail servers of ${domain} now`, {
    cause,
  })
}
