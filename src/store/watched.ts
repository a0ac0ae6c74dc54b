/** A store that tells when mail arrives, for programs that wait for it. */
import { type Address, formatAddress, identity } from '../mail/address.js'
import type { Mailbox, StoredMessage } from '../mail/mailbox.js'
import type { Message } from '../mail/message.js'
import type { Quota } from '../mail/quota.js'
import type { Place, Store } from './store.js'

export class WatchedStore implements Store {
  readonly #store: Store
  /** By identity of the user: who wants to look again when mail came. */
  readonly #watchers = new Map<string, Set<() => void>>()
  /** By identity: the messages that `next` has given out. */
  readonly #given = new Map<string, Set<string>>()

  constructor(store: Store) {
    this.#store = store
  }

  open(user: Address): Promise<Mailbox> {
    return this.#store.open(user)
  }

  checkRoom(size: number | null): Promise<void> {
    return this.#store.checkRoom(size)
  }

  checkQuota(user: Address, quota: Quota, size: number | null): Promise<void> {
    return this.#store.checkQuota(user, quota, size)
  }

  async append(user: Address, message: Message, quota?: Quota | null): Promise<void> {
    await this.#store.append(user, message, quota)
    this.#tell(user)
  }

  async appendAll(places: readonly Place[], message: Message): Promise<readonly (Error | null)[]> {
    const results = await this.#store.appendAll(places, message)
    for (const { user } of places) this.#tell(user)
    return results
  }

  /**
   * The oldest message of that user that was not given out before, waiting for one if need be.
   * Bytes with CR LF line ends.
   * @throws Error after `timeoutMs` without one
   */
  async next(user: Address, timeoutMs: number): Promise<Buffer> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const arrival = this.#arrival(user, deadline - performance.now())
      try {
        const message = await this.#take(user)
        if (message !== null) return message
        await arrival.come
      } finally {
        arrival.cancel()
      }
    }
  }

  #tell(user: Address): void {
    for (const look of this.#watchers.get(identity(user)) ?? []) look()
  }

  async #take(user: Address): Promise<Buffer | null> {
    const mailbox = await this.#store.open(user)
    const there = new Set(mailbox.messages.map(({ uid }) => uid))
    const before = this.#given.get(identity(user)) ?? []
    const given = new Set([...before].filter((uid) => there.has(uid)))
    this.#given.set(identity(user), given)
    const message = mailbox.messages.find(({ uid }) => !given.has(uid))
    if (message === undefined) return null
    given.add(message.uid)
    return readAll(mailbox, message)
  }

  /** Watches from now on, so that nothing slips in between looking and waiting. */
  #arrival(user: Address, timeoutMs: number): { come: Promise<void>; cancel(): void } {
    const watchers = this.#watchers.get(identity(user)) ?? new Set()
    this.#watchers.set(identity(user), watchers)
    const { promise, resolve, reject } = withResolvers()
    const late = new Error(`no mail for ${formatAddress(user)} came in time`)
    const timer = setTimeout(() => reject(late), Math.max(0, timeoutMs))
    watchers.add(resolve)
    // Nobody may be waiting for it any more when it fails.
    promise.catch(() => {})
    const cancel = (): void => {
      clearTimeout(timer)
      watchers.delete(resolve)
    }
    return { come: promise, cancel }
  }
}

async function readAll(mailbox: Mailbox, message: StoredMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of await mailbox.open(message)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Promise.withResolvers came with Node 22. */
function withResolvers() {
  let resolve: () => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
