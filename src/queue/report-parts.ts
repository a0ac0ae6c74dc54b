/** What a report says of a message in the spool, and the message that the report becomes. */
import type { DsnAction, Report, ReportedRecipient } from '../dsn/dsn.js'
import { type Address, formatAddress } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import { derivedId } from './item-envelope.js'
import type { QueuedRecipient, QueueItem, Trouble } from './item.js'
import type { Schedule } from './schedule.js'

/** RFC 3463 section 3.5: the time for a delivery is over. */
const EXPIRED = '5.4.7'
const FIRST_DIGIT: Readonly<Record<DsnAction, string>> = {
  failed: '5',
  delayed: '4',
  delivered: '2',
  relayed: '2',
  expanded: '2',
}

/** What a report is made of besides the message. */
export interface ReportFacts {
  /** To whom it goes. */
  readonly to: Address
  /** The name of this server. */
  readonly hostname: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly schedule: Schedule
}

/** @param told by place among the recipients */
export function reportOf(
  item: QueueItem,
  told: ReadonlyMap<number, DsnAction>,
  { to, hostname, now, schedule }: ReportFacts,
): Report {
  const { id, received, client, requireTls, smtputf8, reports } = item
  const retryUntil = now + Math.max(0, schedule.expireMs - item.waitedMs)
  // RFC 8689 section 5: the body of what must not be seen does not come back.
  const wish = requireTls
    ? { envelopeId: reports?.envelopeId ?? null, content: 'headers' as const }
    : reports
  return {
    id: reportId(id, told),
    about: id,
    to,
    hostname,
    arrived: received,
    now,
    from: client.helo,
    wish,
    utf8: smtputf8,
    recipients: [...told].map(([at, action]) => toldOf(item.recipients[at]!, action, retryUntil)),
  }
}

/** The same for the same occasion. */
function reportId(id: string, told: ReadonlyMap<number, DsnAction>): string {
  const occasion = [...told].map(([at, action]) => `${at} ${action}`)
  return derivedId(id, 'R', occasion.join(', '))
}

/** A report goes as protected as what it is about (RFC 8689 section 5), and never asks for another. */
export function envelopeOfReport(report: Report, item: QueueItem): Envelope {
  const { id, to, hostname } = report
  return {
    id,
    from: null,
    to: [to],
    client: { address: '', helo: hostname, secure: false, user: null },
    declaredSize: null,
    smtputf8: item.smtputf8,
    // What the original says may stand in it.
    eightBit: true,
    requireTls: item.requireTls,
  }
}

function toldOf(
  { to, notice, state, trouble, attempts }: QueuedRecipient,
  action: DsnAction,
  retryUntil: number,
): ReportedRecipient {
  const last = action === 'failed' || action === 'delayed' ? trouble : null
  return {
    to,
    originalRecipient: notice?.originalRecipient ?? null,
    action,
    status: state === 'expired' ? EXPIRED : statusOf(action, last),
    remote: last?.by ?? null,
    diagnostic: last === null ? null : diagnosticOf(last),
    lastAttempt: attempts === 0 ? null : (trouble?.at ?? null),
    retryUntil: action === 'delayed' ? retryUntil : null,
  }
}

function statusOf(action: DsnAction, trouble: Trouble | null): string {
  const digit = FIRST_DIGIT[action]
  return trouble?.status.startsWith(`${digit}.`) === true ? trouble.status : `${digit}.0.0`
}

/** A reply as it came begins with its code; a refusal of ours has it beside its text. */
function diagnosticOf({ code, status, text }: Trouble): string {
  return text.startsWith(String(code)) ? text : `${code} ${status} ${text}`
}

/** For logs: whom a report is about. */
export function namesOf(item: QueueItem, places: Iterable<number>): string {
  return [...places].map((at) => formatAddress(item.recipients[at]!.to)).join(' ')
}
