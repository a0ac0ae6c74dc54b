/** Hands waiting mail to the relay: one transaction for the recipients that share a reverse-path. */
import { type Address, formatAddress } from '../mail/address.js'
import type { Message } from '../mail/message.js'
import { tryLater } from '../mail/refusal.js'
import type { Relay, RelayOutcome, RelayRecipient } from '../relay/relay.js'
import type { Ending } from './aftermath.js'
import type { Endings, Work } from './endings.js'
import type { QueueItem } from './item.js'
import type { Job } from './spool.js'

/** Recipients of one transaction: any server takes so many (RFC 5321 section 4.5.3.1.8). */
const MAX_RECIPIENTS = 100

interface Batch {
  readonly from: Address | null
  readonly members: { readonly at: number; readonly recipient: RelayRecipient }[]
}

export class RemoteWork implements Work {
  readonly #relay: Relay

  constructor(relay: Relay) {
    this.#relay = relay
  }

  async attempt(job: Job, recipients: readonly number[], message: Message): Promise<Endings> {
    const endings = new Map<number, Ending>()
    for (const batch of batchesOf(job.item, recipients)) {
      // The rate of the lane is used up: nobody was asked, and nothing is held against the mail.
      if (this.#relay.pause(job.lane) > 0) break
      const told = await this.#hand(job, batch, message)
      batch.members.forEach(({ at }, member) => endings.set(at, endingOf(told[member])))
    }
    return endings
  }

  #hand(
    { item, lane }: Job,
    { from, members }: Batch,
    message: Message,
  ): Promise<readonly RelayOutcome[]> {
    const { id, client, smtputf8, eightBit, requireTls, reports } = item
    const recipients = members.map(({ recipient }) => recipient)
    const wishes = { smtputf8, eightBit, requireTls, reports }
    return this.#relay.deliver(
      lane,
      { id, from, user: client.user, ...wishes, recipients },
      message,
    )
  }
}

/** An outcome that is not there is no delivery. */
function endingOf(outcome: RelayOutcome | undefined): Ending {
  if (outcome === undefined) {
    const refusal = tryLater(new Error('the relay gave no answer'))
    return { refusal, arrived: 'waiting', by: null, said: null }
  }
  const { refusal, by, said, reportsItself } = outcome
  return { refusal, arrived: reportsItself ? 'handed-on' : 'relayed', by, said }
}

function batchesOf(item: QueueItem, recipients: readonly number[]): Batch[] {
  const open = new Map<string, Batch>()
  const all: Batch[] = []
  for (const at of recipients) {
    const { target, to, from = item.from, notice } = item.recipients[at]!
    const path = from === null ? '' : formatAddress(from)
    let batch = open.get(path)
    if (batch === undefined || batch.members.length >= MAX_RECIPIENTS) {
      batch = { from, members: [] }
      open.set(path, batch)
      all.push(batch)
    }
    const address = target.kind === 'remote' ? target.address : to
    batch.members.push({ at, recipient: { to: address, notice } })
  }
  return all
}
