/**
 * A client of milters (Sendmail's mail filter protocol, version 6): shows one a
 * whole message after it has come, and takes the header fields that it adds,
 * its refusal, or its wish for quarantine, which is junk here.
 */
import type { Log } from '../log/log.js'
import type { Envelope } from '../mail/envelope.js'
import type { Header } from '../mail/headers.js'
import type { Message } from '../mail/message.js'
import { type Filter, PASS, type Verdict } from './filter.js'
import { type MilterTalk, showable, showBody, showEnvelope, showHeader } from './milter-steps.js'
import { negotiate } from './milter-terms.js'
import { finalReply } from './milter-replies.js'
import { type MilterEndpoint, MilterWire } from './milter-wire.js'
import { type OnError, onContent, orOutage } from './outage.js'

export interface MilterSettings {
  readonly endpoint: MilterEndpoint
  /** For the whole conversation about one message. */
  readonly timeoutMs: number
  readonly onError: OnError
}

export interface MilterOptions {
  /** The name of this server: the macro `j`. */
  readonly hostname: string
  /** Octets that a header section may have. */
  readonly maxHeader: number
  readonly log: Log
}

export class MilterFilter implements Filter {
  readonly name: string
  readonly #settings: MilterSettings
  readonly #options: MilterOptions

  constructor(settings: MilterSettings, options: MilterOptions) {
    const { endpoint } = settings
    this.name = `milter ${'path' in endpoint ? endpoint.path : `${endpoint.host}:${endpoint.port}`}`
    this.#settings = settings
    this.#options = options
  }

  message(envelope: Envelope, message: Message): Promise<Verdict> {
    const watch = { name: this.name, onError: this.#settings.onError, log: this.#options.log }
    return orOutage(watch, envelope.id, () => this.#ask(envelope, message))
  }

  async #ask(envelope: Envelope, message: Message): Promise<Verdict> {
    const { hostname, maxHeader } = this.#options
    const header = await onContent(() => showable(message, maxHeader))
    const wire = await MilterWire.open(this.#settings.endpoint, this.#settings.timeoutMs)
    try {
      const talk = { wire, terms: await negotiate(wire), envelope, hostname }
      return await onContent(() => show(talk, header, message))
    } finally {
      // It may have hung up already.
      await wire.send('Q').catch(() => {})
      wire.close()
    }
  }
}

async function show(talk: MilterTalk, header: Header, message: Message): Promise<Verdict> {
  if ((await showEnvelope(talk)) === 'accept') return PASS
  if ((await showHeader(talk, header)) === 'accept') return PASS
  if ((await showBody(talk, message, header.size)) === 'accept') return PASS
  await talk.wire.send('E')
  return finalReply(talk.wire)
}
