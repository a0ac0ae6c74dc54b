/**
 * Asks an rspamd for its verdict (its HTTP protocol, `POST /checkv2`). What it
 * would change in a message we do not change: mail that it wants another subject
 * for is junk, and what it would drop in silence is refused, so that its sender knows.
 */
import type { Socket } from 'node:net'
import type { Log } from '../log/log.js'
import { type Address, formatAddress } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import { Refusal } from '../mail/refusal.js'
import { type Filter, PASS, type Verdict } from './filter.js'
import { headerLine, replyText } from './foreign-words.js'
import { post, reach } from './http-post.js'
import { type OnError, onContent, orOutage } from './outage.js'

export interface RspamdSettings {
  /** Of its normal worker or its proxy, such as `http://127.0.0.1:11333`. */
  readonly url: string
  /** For the whole check of one message. */
  readonly timeoutMs: number
  readonly onError: OnError
}

/** Recipients that it is told: it chooses its settings by them, and 1,000 make 64 kB. */
const MAX_RECIPIENTS = 100
/** Header fields that it may add. */
const MAX_HEADERS = 50

export class RspamdFilter implements Filter {
  readonly name = 'rspamd'
  readonly #settings: RspamdSettings
  readonly #log: Log
  readonly #url: URL

  constructor(settings: RspamdSettings, log: Log) {
    this.#settings = settings
    this.#log = log
    this.#url = new URL('/checkv2', settings.url)
  }

  message(envelope: Envelope, message: Message): Promise<Verdict> {
    const watch = { name: this.name, onError: this.#settings.onError, log: this.#log }
    return orOutage(watch, envelope.id, () => this.#check(envelope, message))
  }

  /** Only an rspamd that cannot be reached at all has not been brought down by this very message. */
  async #check(envelope: Envelope, message: Message): Promise<Verdict> {
    const signal = AbortSignal.timeout(this.#settings.timeoutMs)
    const socket = await reach(this.#url, signal)
    try {
      return await onContent(() => this.#ask(socket, envelope, message, signal))
    } finally {
      socket.destroy()
    }
  }

  async #ask(
    socket: Socket,
    envelope: Envelope,
    message: Message,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const text = await post(socket, this.#url, { headers: facts(envelope), message, signal })
    const answer = JSON.parse(text) as unknown
    const action = stringAt(answer, 'action')
    const words = replyText(stringAt(answer, 'messages', 'smtp_message') ?? '')
    this.#log.info('rspamd verdict', { id: envelope.id, action, score: numberAt(answer, 'score') })
    const verdict = VERDICTS.get(action ?? '')
    if (verdict === undefined) throw new Error(`rspamd gave no action that we know: ${action}`)
    return { ...verdict(words), headers: added(at(answer, 'milter', 'add_headers')) }
  }
}

type Judge = (words: string) => Verdict

const pass = (): Verdict => PASS
const junk = (): Verdict => ({ headers: [], junk: true })
const reject = (words: string): never => {
  throw new Refusal(554, '5.7.1', words || 'this message was found to be spam', { why: 'rspamd' })
}
const defer = (words: string): never => {
  throw new Refusal(451, '4.7.1', words || 'this message cannot be taken now; try again later', {
    why: 'rspamd',
  })
}

/** Its actions. */
const VERDICTS: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ['no action', pass],
  // It does the greylisting itself and says "soft reject" then: to wait for more would be for ever.
  ['greylist', pass],
  ['add header', junk],
  ['rewrite subject', junk],
  ['quarantine', junk],
  ['soft reject', defer],
  ['reject', reject],
  ['discard', reject],
])

/** Who sends what to whom, in header fields of the request. */
function facts({ id, client, from, to }: Envelope): [string, string][] {
  return [
    ['Queue-Id', id],
    ...given('IP', client.address),
    ...given('Helo', client.helo),
    ...given('User', client.user ?? ''),
    ['From', from === null ? '<>' : `<${written(from)}>`],
    ...to.slice(0, MAX_RECIPIENTS).map((each): [string, string] => ['Rcpt', written(each)]),
  ]
}

function given(name: string, value: string): [string, string][] {
  return value === '' ? [] : [[name, octets(value)]]
}

function written(address: Address): string {
  return octets(formatAddress(address))
}

/** Header fields are octets to node:http: one character for each of UTF-8. */
function octets(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** `{"X-A": "1", "X-B": {"value": "2"}, "X-C": [{"value": "3"}, …]}` */
function added(fields: unknown): string[] {
  if (typeof fields !== 'object' || fields === null) return []
  return Object.entries(fields)
    .flatMap(([name, values]) =>
      [values as unknown].flat().flatMap((value) => headerLine(name, valueOf(value)) ?? []),
    )
    .slice(0, MAX_HEADERS)
}

function valueOf(value: unknown): string {
  return typeof value === 'string' ? value : (stringAt(value, 'value') ?? '')
}

function stringAt(value: unknown, ...path: string[]): string | undefined {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : undefined
}

function numberAt(value: unknown, ...path: string[]): number | undefined {
  const found = at(value, ...path)
  return typeof found === 'number' ? found : undefined
}

/** Only own keys: what another program sent must not reach into what every object has. */
function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((parent, key) => {
    const own = typeof parent === 'object' && parent !== null && Object.hasOwn(parent, key)
    return own ? (Reflect.get(parent, key) as unknown) : undefined
  }, value)
}
