/** Routes, mail and servers for tests of the way that mail goes. */
import { parseAddress } from '../../src/mail/address.js'
import { fromBuffer } from '../../src/mail/message.js'
import { Refusal } from '../../src/mail/refusal.js'
import { parseSmarthost, type Smarthost } from '../../src/mail/smarthost.js'
import type { Hop, HopResult } from '../../src/relay/hop.js'
import type { RelayOutcome, RelayWork } from '../../src/relay/relay.js'
import type { RouteSettings } from '../../src/relay/routes.js'
import type { HopDelivery } from '../../src/relay/smarthosts.js'

export const MESSAGE = fromBuffer(Buffer.from('Subject: x\n\nbody\n'))

export const TAKEN: RelayOutcome = {
  refusal: null,
  by: 'server',
  said: '250 ok',
  reportsItself: false,
}

export function smarthosts(...urls: string[]): Smarthost[] {
  return urls.map((url) => {
    const found = parseSmarthost(url)
    if ('problem' in found) throw new Error(found.problem)
    return found
  })
}

export function route(name: string, over: Partial<RouteSettings> = {}): RouteSettings {
  return {
    name,
    match: { senderDomains: [], recipientDomains: [], users: [] },
    via: 'mx',
    secret: null,
    tls: 'auto',
    ca: null,
    concurrency: 20,
    rate: null,
    ...over,
  }
}

export function work(...to: string[]): RelayWork {
  return {
    id: 'a1',
    from: parseAddress('joe@here.org'),
    user: 'joe@here.org',
    smtputf8: false,
    eightBit: false,
    requireTls: false,
    reports: null,
    recipients: to.map((each) => ({ to: parseAddress(each)!, notice: null })),
  }
}

export const unusable = (code = 451, status = '4.4.1', text = 'no answer'): HopResult => ({
  kind: 'unusable',
  why: new Refusal(code, status, text),
})

/** Servers that answer as they are told, by name; who is not told of takes everything. */
export class ScriptedHops implements HopDelivery {
  readonly asked: Hop[] = []
  readonly answers = new Map<string, HopResult>()
  /** What each call waits for. */
  gate: Promise<void> = Promise.resolve()

  /** The names of those asked since the last time. */
  names(): string[] {
    return this.asked.splice(0).map(({ name }) => name)
  }

  async hand(hop: Hop, { recipients }: RelayWork): Promise<HopResult> {
    this.asked.push(hop)
    const answer = this.answers.get(hop.name)
    await this.gate
    return answer ?? { kind: 'answered', outcomes: recipients.map(() => TAKEN) }
  }

  async close(): Promise<void> {}
}
