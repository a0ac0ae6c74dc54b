/**
 * Which mailboxes are full. What a mailbox holds is asked for at most once a
 * second; what came through here since is added to that.
 */
import {
  errorCode,
  fits,
  fullness,
  minus,
  NOTHING,
  plus,
  type Usage,
  usageOf,
} from '../../maildir/maildir.js'
import { type Log, reason } from '../log/log.js'
import type { Quota } from '../mail/quota.js'
import { mailboxFull } from '../mail/refusal.js'

/** How long an answer is good for. */
const FRESH_MS = 1_000
/** Mailboxes that are remembered at once. */
const MAX_KNOWN = 10_000
/** No message is smaller. */
const SMALLEST = 1

export class Quotas {
  readonly #log: Log
  readonly #usageOf: typeof usageOf
  readonly #known = new Map<string, Gauge>()
  /** What is being delivered this moment: no answer knows of it. */
  readonly #underWay = new Map<string, Usage>()

  /** @param count how much a Maildir holds; unless something else is given, account of it is kept there */
  constructor(log: Log, count: typeof usageOf = usageOf) {
    this.#log = log
    this.#usageOf = count
  }

  /** @param size octets, `null` if unknown @throws Refusal mailboxFull */
  async check(maildir: string, quota: Quota, size: number | null): Promise<void> {
    const extra = { bytes: size ?? SMALLEST, messages: 1 }
    await this.#withRoom(maildir, quota, extra, () => {})
  }

  /**
   * Keeps the room for a message that is about to be delivered.
   * @returns what must be called when that is over
   * @throws Refusal mailboxFull
   */
  async reserve(
    maildir: string,
    quota: Quota,
    extra: Usage,
  ): Promise<(delivered: boolean) => void> {
    await this.#withRoom(maildir, quota, extra, () => this.#move(maildir, extra))
    return (delivered) => {
      this.#move(maildir, minus(NOTHING, extra))
      if (delivered) this.#known.get(maildir)?.add(extra)
    }
  }

  /** How full the mailbox is; 1 = it takes no more. */
  async fullness(maildir: string, quota: Quota): Promise<number> {
    const gauge = this.#fresh(maildir, quota) ?? this.#ask(maildir, quota, NOTHING, false)
    return fullness(await gauge.usage(), quota)
  }

  /** Mail was removed: ask anew. */
  forget(maildir: string): void {
    this.#known.delete(maildir)
  }

  /**
   * That there is no room is only believed when it was asked for so much, as then a doubtful
   * account is made anew.
   * @param take called in the same turn in which there was found to be room
   */
  async #withRoom(maildir: string, quota: Quota, extra: Usage, take: () => void): Promise<void> {
    for (const certain of [false, true]) {
      const gauge =
        this.#fresh(maildir, quota, certain) ?? this.#ask(maildir, quota, extra, certain)
      const usage = await gauge.usage()
      const all = plus(plus(usage, this.#underWay.get(maildir) ?? NOTHING), extra)
      if (fits(all, quota)) return take()
      if (gauge.certain) break
    }
    throw mailboxFull()
  }

  #move(maildir: string, change: Usage): void {
    const { bytes, messages } = plus(this.#underWay.get(maildir) ?? NOTHING, change)
    if (messages === 0) this.#underWay.delete(maildir)
    else this.#underWay.set(maildir, { bytes, messages })
  }

  #fresh(maildir: string, quota: Quota, certain = false): Gauge | null {
    const known = this.#known.get(maildir)
    if (known === undefined || !known.isFresh(quota)) return null
    return certain && !known.certain ? null : known
  }

  #ask(maildir: string, quota: Quota, extra: Usage, certain: boolean): Gauge {
    const counted = this.#usageOf(maildir, quota, extra).catch((error: unknown) => {
      // No mail ever came. And a quota that cannot be told is no reason to refuse mail.
      if (errorCode(error) !== 'ENOENT')
        this.#log.warn('quota unknown', { mailbox: maildir, reason: reason(error) })
      return NOTHING
    })
    const gauge = new Gauge(quota, counted, certain)
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(maildir, gauge)
    return gauge
  }
}

/** What one mailbox holds: an answer, and what came since. */
class Gauge {
  /** True: it was asked with the size of a message that had not seemed to fit. */
  readonly certain: boolean
  readonly #quota: Quota
  readonly #counted: Promise<Usage>
  readonly #asked = performance.now()
  #since = NOTHING

  constructor(quota: Quota, counted: Promise<Usage>, certain: boolean) {
    this.#quota = quota
    this.#counted = counted
    this.certain = certain
  }

  isFresh({ bytes, messages }: Quota): boolean {
    const same = this.#quota.bytes === bytes && this.#quota.messages === messages
    return same && performance.now() - this.#asked < FRESH_MS
  }

  async usage(): Promise<Usage> {
    const counted = await this.#counted
    return plus(counted, this.#since)
  }

  add(change: Usage): void {
    this.#since = plus(this.#since, change)
  }
}
