/**
 * Asks the DNS: a stub resolver (RFC 1034 section 5.3.1) that tells what is
 * there, what is not there, and what cannot be told now, and whether a
 * validating resolver on this machine vouches for it. node:dns does not tell the last.
 */
import { randomInt } from 'node:crypto'
import type { Log } from '../log/log.js'
import { reason } from '../log/log.js'
import { isThisMachine } from '../net/this-machine.js'
import { type DnsServer, exchange } from './dns-exchange.js'
import { DnsMemory } from './dns-memory.js'
import type { RecordOf, RecordType } from './dns-records.js'
import { type DnsRecord, type DnsReply, isDnsName } from './dns-wire.js'

/** Milliseconds for a reply, by UDP and by TCP each. */
const PATIENCE_MS = 3_000
/** How often the servers are asked, all in turn. */
const ROUNDS = 2
/** Milliseconds after which no server is asked any more. */
const GIVE_UP_MS = 15_000
/** RFC 1034 section 5.2.2 asks for some limit: names on the way from alias to alias. */
const MAX_ALIASES = 10
/** Questions under way at once. */
const MAX_PENDING = 1_000
const MAX_CACHED = 2_000
/** Octets of a reply that is worth its place in memory. */
const MAX_CACHED_SIZE = 4_096
/** Milliseconds that an answer is kept, whatever its TTL says. */
const LEAST_KEPT_MS = 5_000
const MOST_KEPT_MS = 3_600_000
/** Milliseconds for which "there is none" is kept. */
const NOTHING_KEPT_MS = 30_000
/** Milliseconds for which a server that did not answer is asked last. */
const SHUNNED_MS = 60_000
const MAX_SHUNNED = 100
const NO_ERROR = 0
const FORMAT_ERROR = 1
const SERVER_FAILURE = 2
const NO_SUCH_NAME = 3
const NOT_IMPLEMENTED = 4

/** The DNS cannot tell now: never a reason to give a message up. */
export class DnsFailure extends Error {
  override readonly name = 'DnsFailure'
}

export interface DnsAnswer<T> {
  /** None = there are none. */
  readonly records: readonly T[]
  /** What the name stands for, itself if it is no alias. */
  readonly name: string
  /** A resolver on this machine says that it checked the signatures (RFC 6840 section 5.8). */
  readonly authentic: boolean
}

export interface DnsSettings {
  /** Asked each time, in this order. At least one. */
  readonly servers: () => Promise<readonly DnsServer[]>
  readonly log: Log
  /** Milliseconds for a reply. */
  readonly patienceMs?: number
}

export class Dns {
  readonly #settings: DnsSettings
  readonly #cache = new DnsMemory<DnsAnswer<unknown>>(MAX_CACHED)
  readonly #shunned = new DnsMemory<true>(MAX_SHUNNED)
  /** Who asks the same at the same time waits for the same answer. */
  readonly #pending = new Map<string, Promise<DnsAnswer<unknown>>>()

  constructor(settings: DnsSettings) {
    this.#settings = settings
  }

  /**
   * @param name what cannot be a name has no records, and nobody is asked
   * @throws DnsFailure when nobody can tell
   */
  async lookup<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<RecordOf[T]>> {
    if (!isDnsName(name)) return { records: [], name, authentic: false }
    const key = `${type} ${name.toLowerCase()}`
    const answer = this.#cache.get(key) ?? (await this.#once(key, name.toLowerCase(), type))
    return answer as DnsAnswer<RecordOf[T]>
  }

  #once(key: string, name: string, type: RecordType): Promise<DnsAnswer<unknown>> {
    const running = this.#pending.get(key)
    if (running !== undefined) return running
    if (this.#pending.size >= MAX_PENDING) throw new DnsFailure('too many questions at once')
    const answer = this.#resolve(key, name, type).finally(() => this.#pending.delete(key))
    this.#pending.set(key, answer)
    return answer
  }

  /** Most resolvers tell the whole way from alias to alias in one reply; where one does not, it is asked again. */
  async #resolve(key: string, asked: string, type: RecordType): Promise<DnsAnswer<unknown>> {
    const way = new Way(asked)
    let authentic = true
    for (let steps = 0; steps <= MAX_ALIASES; steps++) {
      const { name } = way
      if (!isDnsName(name)) break
      const { reply, trusted } = await this.#ask(name, type)
      authentic &&= trusted && reply.authentic
      const records = way.follow(reply.answers, type)
      const further = way.name !== name && reply.rcode !== NO_SUCH_NAME
      if (records.length === 0 && further) continue
      const answer = { records: records.map(({ data }) => data), name: way.name, authentic }
      if (reply.size <= MAX_CACHED_SIZE) this.#cache.set(key, answer, way.keptMs(records))
      return answer
    }
    throw new DnsFailure(`${asked}: an alias that leads nowhere`)
  }

  /** @throws DnsFailure */
  async #ask(name: string, type: RecordType): Promise<{ reply: DnsReply; trusted: boolean }> {
    const until = performance.now() + GIVE_UP_MS
    let fault: unknown
    for (const server of this.#inTurn(await this.#settings.servers())) {
      if (performance.now() >= until) break
      const trusted = isThisMachine(server.address)
      try {
        const reply = await this.#askOne(server, name, type)
        if (reply.rcode === NO_ERROR || reply.rcode === NO_SUCH_NAME) return { reply, trusted }
        fault = new Error(`response code ${reply.rcode}`)
        this.#tell(server, name, type, fault)
        // Signatures that are wrong look like this: nobody who checks none may say otherwise.
        if (trusted && reply.rcode === SERVER_FAILURE) break
      } catch (error) {
        fault = error
        this.#shunned.set(nameOf(server), true, SHUNNED_MS)
        this.#tell(server, name, type, error)
      }
    }
    throw new DnsFailure(`${name} ${type}: the DNS cannot tell`, { cause: fault })
  }

  /** @throws Error when there is no reply that can be read */
  async #askOne(server: DnsServer, name: string, type: RecordType): Promise<DnsReply> {
    const patience = this.#settings.patienceMs ?? PATIENCE_MS
    const ask = (edns: boolean) =>
      exchange(server, { id: randomInt(0x10000), name, type, edns }, patience)
    const first = await ask(true)
    // RFC 6891 section 7: an old server says this of EDNS.
    const old = first.rcode === FORMAT_ERROR || first.rcode === NOT_IMPLEMENTED
    return old ? ask(false) : first
  }

  #inTurn(servers: readonly DnsServer[]): DnsServer[] {
    const last = (server: DnsServer): number => Number(this.#shunned.get(nameOf(server)) ?? false)
    const round = servers.toSorted((one, other) => last(one) - last(other))
    return Array.from({ length: ROUNDS }, () => round).flat()
  }

  #tell(server: DnsServer, name: string, type: RecordType, error: unknown): void {
    const facts = { server: nameOf(server), name, type, why: reason(error) }
    this.#settings.log.debug('dns server failed', facts)
  }
}

const nameOf = ({ address, port }: DnsServer): string => `${address} ${port}`

/** From alias to alias (RFC 1034 section 3.6.2). */
class Way {
  /** Where it has come to. */
  name: string
  #aliases = 0
  /** Seconds. */
  #ttl = Infinity

  constructor(name: string) {
    this.name = name
  }

  /** @returns the records at its end. @throws DnsFailure when there is none */
  follow(answers: readonly DnsRecord[], type: RecordType): DnsRecord[] {
    for (;;) {
      const mine = answers.filter(({ name }) => name === this.name)
      const records = mine.filter((record) => record.type === type)
      const alias = mine.find((record) => record.type === 'CNAME')
      if (records.length > 0 || alias === undefined) return records
      if (++this.#aliases > MAX_ALIASES) throw new DnsFailure(`${this.name}: too many aliases`)
      this.name = alias.data
      this.#ttl = Math.min(this.#ttl, alias.ttl)
    }
  }

  /** Milliseconds that the answer may be kept. */
  keptMs(records: readonly DnsRecord[]): number {
    if (records.length === 0) return NOTHING_KEPT_MS
    const seconds = records.reduce((least, { ttl }) => Math.min(least, ttl), this.#ttl)
    return Math.min(MOST_KEPT_MS, Math.max(LEAST_KEPT_MS, seconds * 1_000))
  }
}
