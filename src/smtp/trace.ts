/** The Received header (RFC 5321 section 4.4) and the ids of messages. */
import { randomInt } from 'node:crypto'
import type { Address } from '../mail/address.js'
import { formatAddress, isInternational } from '../mail/address.js'
import type { TlsFacts } from '../net/session.js'

export interface TraceFacts {
  readonly helo: string
  readonly peerAddress: string
  readonly hostname: string
  readonly esmtp: boolean
  readonly lmtp: boolean
  /** The client has logged in. */
  readonly authenticated: boolean
  readonly smtputf8: boolean
  readonly tls: TlsFacts | null
  readonly id: string
  /** Named in the header only if it is the only one: nobody shall learn of a Bcc. */
  readonly recipients: readonly Address[]
}

/** Lines end in LF. */
export function received(facts: TraceFacts, now = new Date()): Buffer {
  const { helo, peerAddress, hostname, id } = facts
  const from = `Received: from ${safe(helo)} (${client(peerAddress)})`
  const by = `\tby ${safe(hostname)} (mailtap) with ${protocol(facts)} id ${id}${forWhom(facts)}`
  const tls = facts.tls === null ? '' : `\t(${safe(facts.tls.version)} ${safe(facts.tls.cipher)})\n`
  return Buffer.from(`${from}\n${tls}${by};\n\t${date(now)}\n`)
}

/** The names registered in RFC 3848 and RFC 6531. */
function protocol({ esmtp, lmtp, authenticated, smtputf8, tls }: TraceFacts): string {
  if (!esmtp) return 'SMTP'
  const name = lmtp ? 'LMTP' : 'SMTP'
  const kind = smtputf8 ? `UTF8${name}` : name.replace('SMTP', 'ESMTP')
  return `${kind}${tls === null ? '' : 'S'}${authenticated ? 'A' : ''}`
}

function client(address: string): string {
  if (address === '') return 'local'
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
}

function forWhom({ recipients, smtputf8 }: TraceFacts): string {
  const [only, ...others] = recipients
  if (only === undefined || others.length > 0) return ''
  return isInternational(only) && !smtputf8 ? '' : `\n\tfor <${formatAddress(only)}>`
}

/** What a client calls itself must not look like anything else in a header. */
function safe(text: string): string {
  return text.replace(/[^A-Za-z0-9.:[\]_-]/g, '?')
}

let lastSecond = -1
let lastDate = ''

/** RFC 5322 section 3.3, in UTC; made once a second. */
function date(now: Date): string {
  const second = Math.floor(now.getTime() / 1000)
  if (second !== lastSecond) {
    lastSecond = second
    lastDate = now.toUTCString().replace('GMT', '+0000')
  }
  return lastDate
}

/** Ids that one process gives out in one second at most, before it repeats itself. */
const ID_COUNT = 2 ** 20
/** Processes of one machine begin in different places and are told apart by this, too. */
const ID_PROCESS = randomInt(2 ** 10)
const ID_SECONDS = 2 ** 28
let counter = randomInt(ID_COUNT)

/**
 * Unique on this machine for eight years, with all its processes; short enough
 * to be read out: twelve letters and digits.
 */
export function newId(): string {
  counter = (counter + 1) % ID_COUNT
  const seconds = Math.floor(Date.now() / 1000) % ID_SECONDS
  const low = ID_PROCESS * ID_COUNT + counter
  return `${digits(seconds, 6)}${digits(low, 6)}`
}

function digits(value: number, length: number): string {
  return value.toString(32).padStart(length, '0').toUpperCase()
}
