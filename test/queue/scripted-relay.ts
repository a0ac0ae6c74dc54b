/** A relay whose answers a test writes down, by recipient. */
import { formatAddress } from '../../src/mail/address.js'
import type { Message } from '../../src/mail/message.js'
import { Refusal } from '../../src/mail/refusal.js'
import type { Relay, RelayOutcome, RelayWork, Way } from '../../src/relay/relay.js'

const HOST = 'mx.far.example [192.0.2.9]'

/** A server's "no". */
export function no(code: number, status: string, text = 'go away'): RelayOutcome {
  const refusal = new Refusal(code, status, text)
  return { refusal, by: HOST, said: `${code} ${status} ${text}`, reportsItself: false }
}

export const yes: RelayOutcome = {
  refusal: null,
  by: HOST,
  said: '250 2.0.0 queued',
  reportsItself: false,
}

export class ScriptedRelay implements Relay {
  enabled = true
  /** What was handed over, in order. */
  readonly works: RelayWork[] = []
  readonly contents: string[] = []
  /** By recipient: answers in order, the last one for ever; without any the answer is yes. */
  readonly answers = new Map<string, RelayOutcome[]>()
  /** By lane: milliseconds. */
  readonly pauses = new Map<string, number>()
  rooms = 4
  /** Deliveries of these lanes wait until the promise resolves. */
  readonly holds = new Map<string, Promise<void>>()
  /** The most transactions of a lane that were under way at once. */
  most = 0
  #now = 0

  lane({ to }: Way): string {
    return to.domain
  }

  concurrency(): number {
    return this.rooms
  }

  pause(lane: string): number {
    return this.pauses.get(lane) ?? 0
  }

  async deliver(lane: string, work: RelayWork, message: Message): Promise<readonly RelayOutcome[]> {
    this.works.push(work)
    this.most = Math.max(this.most, ++this.#now)
    await this.holds.get(lane)
    let content = ''
    for await (const piece of message.open()) content += piece.toString()
    this.contents.push(content)
    this.#now--
    return work.recipients.map(({ to }) => {
      const answers = this.answers.get(formatAddress(to)) ?? [yes]
      return answers.length > 1 ? answers.shift()! : answers[0]!
    })
  }

  async close(): Promise<void> {}
}
