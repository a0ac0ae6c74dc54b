/** The store on a local disk: a Maildir per user. */
import {
  Delivery,
  mayWarn,
  noteAdded,
  notWarned,
  type Usage,
  WARNED_AT,
} from '../../maildir/maildir.js'
import { type Log, reason, silent } from '../log/log.js'
import { type Address, formatAddress } from '../mail/address.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Message } from '../mail/message.js'
import type { Quota } from '../mail/quota.js'
import { mailboxBroken } from '../mail/refusal.js'
import { listOrCreate, MaildirMailbox } from './maildir-mailbox.js'
import { quotaWarning } from './quota-warning.js'
import { Quotas } from './quotas.js'
import { refusalFor } from './refusals.js'
import { Room } from './room.js'
import type { Place, Store } from './store.js'

export interface MaildirsOptions {
  /** The path of a user's Maildir; `null` if there is no such user. Its parent must exist. */
  home(user: Address): string | null
  /** Directories under which mail lies: their file systems are asked for room. */
  roots(): Iterable<string>
  /** This machine's name, for the names of the files. */
  readonly host: string
  /** Octets that stay free on the disk whatever comes in. */
  readonly reserveBytes: number
  /** True: what is removed goes into the mailbox's trash. Asked each time; without it nothing does. */
  keepsDeleted?(): boolean
  readonly log?: Log
  /** Told after each message that is safe on the disk, with its file. Must not throw. */
  onDelivered?(user: Address, path: string): void
}

/** A mailbox that is about to get a message. */
interface Order extends Place {
  readonly home: string
  /** Tells the quota whether the message was kept. */
  readonly over: ((kept: boolean) => void) | null
}

export class Maildirs implements Store {
  readonly #options: MaildirsOptions
  readonly #delivery: Delivery
  readonly #room: Room
  readonly #quotas: Quotas
  readonly #log: Log

  constructor(options: MaildirsOptions) {
    this.#options = options
    this.#log = options.log ?? silent
    this.#quotas = new Quotas(this.#log)
    this.#delivery = new Delivery(options.host)
    this.#room = new Room(() => options.roots(), options.reserveBytes)
  }

  /** @throws NotAMaildir or the system's error: a login that fails for a while, no more */
  async open(user: Address): Promise<Mailbox> {
    const home = this.#home(user)
    return new MaildirMailbox(await listOrCreate(home), {
      keepsDeleted: () => this.#options.keepsDeleted?.() ?? false,
      onRemoved: () => this.#quotas.forget(home),
    })
  }

  async append(user: Address, message: Message, quota: Quota | null = null): Promise<void> {
    const [failure = null] = await this.appendAll([{ user, quota }], message)
    if (failure !== null) throw failure
  }

  async appendAll(places: readonly Place[], message: Message): Promise<(Error | null)[]> {
    const size = { bytes: message.size, messages: 1 }
    const orders = await Promise.all(places.map((place) => caught(this.#order(place, size))))
    const good = orders.flatMap((order) => (order instanceof Error ? [] : order))
    const delivered = await this.#delivery.deliverAll(
      good.map(({ home }) => home),
      message,
    )
    const results = new Map(good.map((order, at) => [order, delivered[at]!]))
    return Promise.all(
      orders.map(async (order) =>
        order instanceof Error ? order : caught(this.#conclude(order, results.get(order)!, size)),
      ),
    )
  }

  async checkQuota(user: Address, quota: Quota, size: number | null): Promise<void> {
    await this.#quotas.check(this.#home(user), quota, size)
  }

  checkRoom(size: number | null): Promise<void> {
    return this.#room.check(size)
  }

  async #order({ user, quota }: Place, size: Usage): Promise<Order> {
    const home = this.#home(user)
    const over = quota === null ? null : await this.#quotas.reserve(home, quota, size)
    return { user, home, quota, over }
  }

  async #conclude(order: Order, result: string | Error, size: Usage): Promise<null> {
    const { user, home, quota, over } = order
    try {
      if (typeof result !== 'string') throw result
      await this.#added(user, home, result, size)
    } catch (error) {
      over?.(false)
      throw refusalFor(error)
    }
    over?.(true)
    if (quota !== null) await this.#warn(user, home, quota)
    return null
  }

  async #added(user: Address, home: string, path: string, size: Usage): Promise<void> {
    await noteAdded(home, size)
    this.#options.onDelivered?.(user, path)
  }

  /** Once, when the mailbox has become so full. The message before it is delivered, whatever becomes of this. */
  async #warn(user: Address, home: string, quota: Quota): Promise<void> {
    const fullness = await this.#quotas.fullness(home, quota)
    if (fullness < WARNED_AT) return
    try {
      if (!(await mayWarn(home))) return
      const letter = quotaWarning(user, quota, fullness)
      const size = { bytes: letter.size, messages: 1 }
      await this.#added(user, home, await this.#delivery.deliver(home, letter), size)
      this.#log.info('quota warning', { user: formatAddress(user) })
    } catch (error) {
      await notWarned(home)
      this.#log.warn('no quota warning', { user: formatAddress(user), reason: reason(error) })
    }
  }

  /** Whoever asks has resolved the address before; a user removed meanwhile is nobody's permanent error. */
  #home(user: Address): string {
    const home = this.#options.home(user)
    if (home === null) throw mailboxBroken(new Error('the user has no mailbox any more'))
    return home
  }
}

async function caught<T>(work: Promise<T>): Promise<T | Error> {
  try {
    return await work
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
