/**
 * The envelope of a message as MAIL and RCPT commands that a server understands (RFC 5321 section
 * 4.1.1), or why it cannot be said to that server. Nothing is rewritten: a message in 8-bit or
 * with UTF-8 in its header would lose its signatures, so what the server does not take bounces
 * (RFC 6152 section 3, RFC 6531 section 3.2).
 */
import { formatAddress, isInternational } from '../mail/address.js'
import { inMemory, type Message } from '../mail/message.js'
import { Refusal, tlsRequired } from '../mail/refusal.js'
import { headerIsAscii, isAscii } from '../transport/header-ascii.js'
import { mailReportParameters, recipientReportParameters } from './report-parameters.js'
import type { RelayRecipient, RelayWork } from './relay.js'

export interface EnvelopeCommands {
  readonly mail: string
  /** By place in the work's recipients; a refusal = it cannot be said. */
  readonly recipients: readonly (string | Refusal)[]
}

type Extensions = ReadonlyMap<string, string>

/** RFC 1870 section 3. */
const SIZE = /^\d{1,20}$/

const noUtf8 = (): Refusal =>
  new Refusal(553, '5.6.7', 'the server there takes no UTF-8 in addresses or headers (SMTPUTF8)')
const noEightBit = (): Refusal =>
  new Refusal(554, '5.6.3', 'the message has 8-bit content, which the server there does not take')

/** @returns a refusal if the server can have nothing of it. @throws when the message cannot be read */
export async function envelopeCommands(
  work: RelayWork,
  message: Message,
  offers: Extensions,
): Promise<EnvelopeCommands | Refusal> {
  const octets = message.size + message.lines
  const limit = sizeLimit(offers)
  if (limit !== null && octets > limit) return tooLarge(limit)
  if (work.requireTls && !offers.has('REQUIRETLS')) return tlsRequired()
  const utf8 = await needsUtf8(work, message)
  const lacksUtf8 = !offers.has('SMTPUTF8')
  if (lacksUtf8 && utf8 === 'all') return noUtf8()
  const eightBit = await needsEightBit(work, message, offers)
  if (eightBit === 'missing') return noEightBit()
  const reports = offers.has('DSN')
  const parameters = [
    ...(offers.has('SIZE') ? [`SIZE=${octets}`] : []),
    ...(eightBit ? ['BODY=8BITMIME'] : []),
    ...(utf8 === 'none' || lacksUtf8 ? [] : ['SMTPUTF8']),
    ...(work.requireTls ? ['REQUIRETLS'] : []),
    ...(reports ? mailReportParameters(work.reports) : []),
  ]
  const recipients = work.recipients.map((recipient) =>
    lacksUtf8 && isForeign(recipient.to) ? noUtf8() : rcpt(recipient, reports),
  )
  return { mail: [`MAIL FROM:<${pathOf(work.from)}>`, ...parameters].join(' '), recipients }
}

const pathOf = (from: RelayWork['from']): string => (from === null ? '' : formatAddress(from))

/** Who needs SMTPUTF8: whoever asked for it and uses none of it need not be refused. */
async function needsUtf8(work: RelayWork, message: Message): Promise<'all' | 'some' | 'none'> {
  if (isForeign(work.from) || (work.smtputf8 && !(await headerIsAscii(message)))) return 'all'
  return work.recipients.some(({ to }) => isForeign(to)) ? 'some' : 'none'
}

/** The largest message that the server takes; `null` = it does not say. */
export function sizeLimit(offers: Extensions): number | null {
  const text = offers.get('SIZE') ?? ''
  const octets = SIZE.test(text) ? Number(text) : 0
  return octets > 0 ? octets : null
}

function rcpt(recipient: RelayRecipient, reports: boolean): string {
  const path = `RCPT TO:<${formatAddress(recipient.to)}>`
  return reports ? [path, ...recipientReportParameters(recipient)].join(' ') : path
}

/** Domains are A-labels here always; a local part in UTF-8 has no other form. */
const isForeign = (address: RelayWork['from']): boolean =>
  address !== null && isInternational(address)

function tooLarge(limit: number): Refusal {
  const text = `the server there takes no message of more than ${limit} octets`
  return new Refusal(552, '5.3.4', text)
}

/**
 * Whether to say BODY=8BITMIME. Where it may be said, a message on a disk is not read for it: to
 * say it of an ASCII message is allowed. Where it may not, only what really has 8-bit octets needs it.
 */
async function needsEightBit(
  { eightBit }: RelayWork,
  message: Message,
  offers: Extensions,
): Promise<boolean | 'missing'> {
  const offered = offers.has('8BITMIME')
  if (offered && (eightBit || !inMemory(message.open()))) return true
  const ascii = await isAscii(message)
  if (ascii) return false
  return offered ? true : 'missing'
}
