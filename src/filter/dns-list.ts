/** One DNS list: asks whether a client is on it, and why (RFC 5782). */
import { Resolver } from 'node:dns/promises'
import type { Log } from '../log/log.js'
import { replyText } from './foreign-words.js'

/** For one question, retries included: a client waits for the answer. */
const PATIENCE_MS = 2_000
/** RFC 5782 section 2.1: answers are loopback addresses. */
const ANSWER = /^127\./
/** Lists say with these that they do not answer us (over a public resolver, too often): it is no listing. */
const LIST_REFUSES = /^127\.255\.255\./
/** c-ares' words for "there is no such name" and "it has no such record". */
const NOT_LISTED: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA'])

export interface ListSettings {
  /** The list's domain. */
  readonly zone: string
  /** Answers that count; none = every one. */
  readonly codes: readonly string[]
}

export interface Listing {
  readonly zone: string
  /** The list's answer, such as 127.0.0.2. */
  readonly code: string
}

export class DnsList {
  readonly #settings: ListSettings
  readonly #resolver: Resolver
  readonly #log: Log
  /** Answers that make no sense are told once. */
  #warned = false

  /** @param resolvers servers to ask, `127.0.0.1:53`; none = those of the system */
  constructor(settings: ListSettings, resolvers: readonly string[], log: Log) {
    this.#settings = settings
    this.#log = log
    this.#resolver = new Resolver({ timeout: PATIENCE_MS, tries: 1 })
    if (resolvers.length > 0) this.#resolver.setServers(resolvers)
  }

  get zone(): string {
    return this.#settings.zone
  }

  /**
   * @param name the client's reversed address
   * @returns `null` if it is not listed
   * @throws Error when the DNS cannot tell
   */
  async lookup(name: string): Promise<Listing | null> {
    const { zone, codes } = this.#settings
    const answers = await known(inTime(this.#resolver.resolve4(`${name}.${zone}`)))
    const sane = answers.filter((answer) => ANSWER.test(answer) && !LIST_REFUSES.test(answer))
    if (sane.length < answers.length) this.#warn(answers)
    const code = sane.find((answer) => codes.length === 0 || codes.includes(answer))
    return code === undefined ? null : { zone, code }
  }

  /** What the list says of it, printable ASCII; empty if it says nothing, or not in time. */
  async why(name: string): Promise<string> {
    try {
      const [text = []] = await inTime(this.#resolver.resolveTxt(`${name}.${this.zone}`))
      return replyText(text.join(''))
    } catch {
      // It explains; nothing depends on it.
      return ''
    }
  }

  #warn(answers: readonly string[]): void {
    if (this.#warned) return
    this.#warned = true
    const facts = { list: this.zone, answer: answers.join(' ') }
    this.#log.warn('dnsbl answer ignored: is the list closed, or closed to this resolver?', facts)
  }
}

async function known(answers: Promise<string[]>): Promise<string[]> {
  try {
    return await answers
  } catch (error) {
    if (NOT_LISTED.has((error as NodeJS.ErrnoException).code)) return []
    throw error
  }
}

/** With several servers the resolver would take this long for each. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer from the DNS in time')), PATIENCE_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
