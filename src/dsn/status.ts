/** The part of a report that programs read: message/delivery-status (RFC 3464 section 2), in UTF-8 by RFC 6533. */
import { type Address, formatAddress } from '../mail/address.js'
import { decodeUtf8Address, decodeXtext, encodeUtf8Address } from '../mail/xtext.js'
import type { DsnAction, Report, ReportedRecipient } from './dsn.js'
import { bounded, dateOf, exactField, field, isAscii, printable } from './text.js'

/** Recipients that one report lists: ten times as many as a message may have. */
export const MAX_LISTED = 10_000
/** Octets of an answer that are repeated. */
export const MAX_DIAGNOSTIC = 500

const ENHANCED = /^[245]\.\d{1,3}\.\d{1,3}$/
const HOST = /^(?:\[[0-9A-Za-z.:]{1,60}\]|[A-Za-z0-9._:-]{1,255})(?= |$)/
const ADDRESS_TYPE = /^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/
/** Where nobody gave a status (RFC 3463 section 3.1). */
const UNDEFINED: Readonly<Record<DsnAction, string>> = {
  failed: '5.0.0',
  delayed: '4.0.0',
  delivered: '2.0.0',
  relayed: '2.0.0',
  expanded: '2.0.0',
}

/** True if the report holds addresses that only UTF-8 can write, and its reader can take them. */
export function needsUtf8(report: Report): boolean {
  if (!report.utf8) return false
  return report.recipients.some(
    ({ to, originalRecipient }) =>
      !isAscii(to.local) || !isAscii(original(originalRecipient, true) ?? ''),
  )
}

/** @param utf8 for message/global-delivery-status */
export function statusFields(report: Report, utf8: boolean): string {
  const listed = report.recipients.slice(0, MAX_LISTED)
  return [messageFields(report), ...listed.map((one) => recipientFields(one, utf8))].join('\n')
}

function messageFields({ hostname, from, arrived, wish }: Report): string {
  const envelopeId = decodeXtext(wish?.envelopeId ?? '')
  return [
    envelopeId === null ? '' : exactField('Original-Envelope-Id', envelopeId),
    exactField('Reporting-MTA', `dns; ${printable(hostname, false)}`),
    from === '' ? '' : exactField('Received-From-MTA', `dns; ${printable(from, false)}`),
    field('Arrival-Date', dateOf(arrived)),
  ].join('')
}

function recipientFields(one: ReportedRecipient, utf8: boolean): string {
  const { to, originalRecipient, action, remote, lastAttempt, retryUntil } = one
  const meant = original(originalRecipient, utf8)
  const host = remote === null ? null : HOST.exec(remote)
  return [
    meant === null ? '' : exactField('Original-Recipient', meant),
    exactField('Final-Recipient', typed(to, utf8)),
    field('Action', action),
    field('Status', statusOf(one)),
    host === null ? '' : field('Remote-MTA', `dns; ${host[0]}`),
    diagnosticField(one, utf8),
    lastAttempt === null ? '' : field('Last-Attempt-Date', dateOf(lastAttempt)),
    action === 'delayed' && retryUntil !== null
      ? field('Will-Retry-Until', dateOf(retryUntil))
      : '',
  ].join('')
}

/** The enhanced status code, whatever was given as one. */
export function statusOf({ status, action }: ReportedRecipient): string {
  return ENHANCED.test(status) ? status : UNDEFINED[action]
}

/** RFC 3464 section 2.3.6: what is no reply of SMTP must not be called one. */
function diagnosticField({ diagnostic }: ReportedRecipient, utf8: boolean): string {
  if (diagnostic === null) return ''
  const type = /^[2-5]\d\d(?:[ -]|$)/.test(diagnostic) ? 'smtp' : 'x-mailtap'
  return field('Diagnostic-Code', `${type}; ${quoted(diagnostic, utf8)}`)
}

/** What a server said, fit to be repeated. */
export function quoted(diagnostic: string, utf8: boolean): string {
  const line = printable(bounded(diagnostic, MAX_DIAGNOSTIC), utf8)
  return line.replace(/ {2,}/g, ' ').trim()
}

function typed(address: Address, utf8: boolean): string {
  const text = printable(formatAddress(address), true)
  if (isAscii(text)) return `rfc822; ${text}`
  return `utf-8; ${utf8 ? text : encodeUtf8Address(text)}`
}

/** ORCPT as it is repeated; `null` if there is none that can be. */
function original(given: string | null, utf8: boolean): string | null {
  const [, type = '', text = ''] = /^([^;]*);(.*)$/s.exec(given ?? '') ?? []
  if (!ADDRESS_TYPE.test(type)) return null
  if (type.toLowerCase() !== 'utf-8') {
    const address = decodeXtext(text)
    return address === null ? null : `${type}; ${address}`
  }
  const address = decodeUtf8Address(text)
  if (address === null) return null
  return `utf-8; ${utf8 ? printable(address, true) : encodeUtf8Address(address)}`
}
