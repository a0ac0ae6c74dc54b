/** What the sender wants to be told, passed on to a server that reports by itself (RFC 3461 section 5.2.1, RFC 6533). */
import { type Address, formatAddress, isInternational } from '../mail/address.js'
import type { ReportWish } from '../mail/envelope.js'
import { decodeUtf8Address, encodeUtf8Address } from '../mail/xtext.js'
import type { RelayRecipient } from './relay.js'

const CONTENT = { full: 'RET=FULL', headers: 'RET=HDRS' } as const
/** RFC 3461 sections 4.2 and 4.4: what is longer was not taken by us either. */
const MAX_VALUE = 500
const PARAMETER = /^[!-<>-~]+$/
const UTF8_TYPE = /^utf-8;(.+)$/is

/** For MAIL. */
export function mailReportParameters(wish: ReportWish | null): string[] {
  const id = wish?.envelopeId ?? ''
  return [...(wish?.content ? [CONTENT[wish.content]] : []), ...(isSafe(id) ? [`ENVID=${id}`] : [])]
}

/** For RCPT. Whoever reports later must be able to name the recipient that the sender knows. */
export function recipientReportParameters({ to, notice }: RelayRecipient): string[] {
  const notify = notice?.notify ?? null
  const original = asciiOnly(notice?.originalRecipient ?? originalOf(to))
  return [
    ...(notify === null ? [] : [`NOTIFY=${notify.join(',').toUpperCase() || 'NEVER'}`]),
    ...(isSafe(original) ? [`ORCPT=${original}`] : []),
  ]
}

function originalOf(to: Address): string {
  const address = formatAddress(to)
  return isInternational(to) ? `utf-8;${address}` : `rfc822;${xtext(address)}`
}

/** RFC 6533 section 3: the form that needs no SMTPUTF8 is right everywhere. */
function asciiOnly(original: string): string {
  const address = decodeUtf8Address(UTF8_TYPE.exec(original)?.[1] ?? '')
  return address === null ? original : `utf-8;${encodeUtf8Address(address)}`
}

/** RFC 3461 section 4. */
function xtext(ascii: string): string {
  return ascii.replace(
    /[^!-*,-<>-~]/g,
    (character) => `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** Nothing that would end the parameter or the command. */
const isSafe = (value: string): boolean => value.length <= MAX_VALUE && PARAMETER.test(value)
