/**
 * Tells senders what became of their mail: puts a report (RFC 3464) into the spool first and marks
 * the recipients afterwards, under an id that a second try after a crash makes again. Mail without
 * a sender is never answered (RFC 5321 section 4.5.5); the postmaster hears that it failed.
 */
import type { Carrier } from '../courier/courier.js'
import type { DsnAction, Report } from '../dsn/dsn.js'
import { type Log, reason } from '../log/log.js'
import { type Address, formatAddress, identity } from '../mail/address.js'
import { fromBuffer, type Message } from '../mail/message.js'
import type { Relay } from '../relay/relay.js'
import { type Due, dueOf } from './due.js'
import type { QueuedRecipient, QueueItem } from './item.js'
import { itemOf } from './item-envelope.js'
import { Marks } from './marks.js'
import { envelopeOfReport, namesOf, reportOf } from './report-parts.js'
import type { Schedule } from './schedule.js'
import type { Spool } from './spool.js'
import { tellTaken } from './tell.js'
import { waitingFor } from './waiting.js'
import { isDone } from './ways.js'

/** Stands for a message that cannot be given back. */
const UNREADABLE = fromBuffer(Buffer.alloc(0))

export interface ReporterParts {
  readonly spool: Spool
  readonly carrier: Pick<Carrier, 'route'>
  readonly relay: Pick<Relay, 'enabled'>
  /** Writes a report. @param original what it is about */
  readonly compose: (report: Report, original: Message) => Promise<Message>
  /** Who hears of mail that nobody can be told of; `null` = the log only. */
  readonly postmaster: () => Address | null
  readonly hostname: string
  readonly schedule: () => Schedule
  /** Told of each report in the spool, with its content; must not wait. */
  readonly added: (item: QueueItem, message: Message) => void
  readonly log: Log
  /** Milliseconds since 1970; the system's clock unless a test brings its own. */
  readonly now?: () => number
}

export class Reporter {
  readonly #parts: ReporterParts
  readonly #marks = new Marks()
  /** By id: what is being reported on. */
  readonly #busy = new Map<string, Promise<void>>()

  constructor(parts: ReporterParts) {
    this.#parts = parts
  }

  /**
   * Sees to all that is to be reported of a message now. Never throws: what fails is in the log,
   * and is done when the message is looked at again.
   * @param item as the spool had it a moment ago
   */
  async look(item: QueueItem): Promise<void> {
    if (!this.#marks.has(item.id) && isNothing(this.#due(item))) return
    const before = this.#busy.get(item.id)
    const turn = (before ?? Promise.resolve()).then(() => this.#turn(item.id))
    this.#busy.set(item.id, turn)
    await turn
    if (this.#busy.get(item.id) === turn) this.#busy.delete(item.id)
  }

  #due(item: QueueItem): Due {
    return dueOf(item, this.#parts.schedule())
  }

  async #turn(id: string): Promise<void> {
    try {
      await this.#see(id)
    } catch (error) {
      this.#parts.log.error('queue report failed', { id, reason: reason(error) })
    }
  }

  async #see(id: string): Promise<void> {
    const stored = await this.#parts.spool.read(id)
    if (stored === null) return this.#marks.forget(id)
    const item = this.#marks.on(stored)
    const { told, quiet } = this.#due(item)
    if (told.size > 0) await this.#tell(item, told)
    this.#marks.add(item, [...told.keys(), ...quiet])
    await this.#mark(id)
  }

  /** What is lent now is marked when it comes back. */
  async #mark(id: string): Promise<void> {
    let gone = false
    const done = await this.#parts.spool.change(id, (item) => {
      const marked = this.#marks.on(item)
      gone = isDone(marked)
      return gone ? null : marked
    })
    if (!done) return
    this.#marks.forget(id)
    if (gone) this.#parts.log.info('queue removed', { id })
  }

  async #tell(item: QueueItem, told: ReadonlyMap<number, DsnAction>): Promise<void> {
    const { postmaster, hostname, schedule, log, now = Date.now } = this.#parts
    const about = { id: item.id, about: namesOf(item, told.keys()) }
    const to = item.from ?? postmaster()
    if (to === null) return log.warn('queue double bounce dropped', about)
    const isOwn = ({ to: failed }: QueuedRecipient): boolean => identity(failed) === identity(to)
    // It was the postmaster who could not be reached: nobody is left to tell.
    if (item.from === null && [...told.keys()].some((at) => isOwn(item.recipients[at]!)))
      return log.warn('queue double bounce dropped', about)
    const facts = { to, hostname, now: now(), schedule: schedule() }
    await this.#send(reportOf(item, told, facts), item)
  }

  async #send(report: Report, item: QueueItem): Promise<void> {
    const { spool, added, log } = this.#parts
    const recipients = await this.#recipients(report)
    if (recipients.length === 0) return
    const message = await this.#written(report, item)
    const envelope = envelopeOfReport(report, item)
    const letter = itemOf(envelope, message, recipients, report.now)
    await spool.add(letter, message)
    const actions = [...new Set(report.recipients.map(({ action }) => action))].join(' ')
    log.info('queue reported', { id: item.id, report: letter.id, actions })
    tellTaken(log, letter)
    added(letter, message)
  }

  /** Of a message that nobody can read any more its sender is told all the same, once its time is over. */
  async #written(report: Report, item: QueueItem): Promise<Message> {
    const { spool, compose, schedule, log } = this.#parts
    try {
      return await compose(report, await spool.message(item))
    } catch (error) {
      if (item.waitedMs < schedule().expireMs) throw error
      log.error('queue message unreadable', { id: item.id, reason: reason(error) })
      return compose(report, UNREADABLE)
    }
  }

  /** Where the report goes: the way of any mail. A sender who is not there is told nothing. */
  async #recipients({ id, about, to, now }: Report): Promise<readonly QueuedRecipient[]> {
    const { carrier, relay, log } = this.#parts
    const { targets, refusal } = await carrier.route(to)
    const elsewhere = targets.some(({ kind }) => kind === 'remote') && !relay.enabled
    if (refusal?.temporary === false || elsewhere) {
      const why = refusal === null ? 'it is elsewhere, and there is no relay' : reason(refusal)
      const fields = { id: about, report: id, to: formatAddress(to), reason: why }
      log.warn('queue report dropped', fields)
      return []
    }
    if (refusal !== null) throw refusal
    return targets.map((target) => waitingFor(to, target, null, now))
  }
}

const isNothing = ({ told, quiet }: Due): boolean => told.size === 0 && quiet.length === 0
