/**
 * What the log says of a message in the spool: the words of Postfix (`status=sent`, `deferred`,
 * `bounced`, `expired`), which people and their tools search for. One id through all of it.
 */
import { placeOf, type Target } from '../directory/directory.js'
import type { Fields, Log } from '../log/log.js'
import { type Address, formatAddress } from '../mail/address.js'
import type { QueuedRecipient, QueueItem, RecipientState } from './item.js'

const STATUS: Readonly<Record<RecipientState, string>> = {
  waiting: 'deferred',
  delivered: 'sent',
  relayed: 'sent',
  'handed-on': 'sent',
  failed: 'bounced',
  expired: 'expired',
  dropped: 'dropped',
}

/** The reverse-path as it stands in a log. */
const pathOf = (from: Address | null): string => (from === null ? '<>' : formatAddress(from))

/** Tells that a message is in the spool now, and how those ended that have been tried. */
export function tellTaken(log: Log, item: QueueItem): void {
  const { id, from, size, lines, recipients, received } = item
  const fields = { id, from: pathOf(from), size: size + lines, nrcpt: recipients.length }
  log.info('queue active', fields)
  for (const recipient of recipients) {
    if (recipient.attempts > 0) tellTry(log, item, recipient, received)
  }
}

/** Tells what came of one try. @param now milliseconds since 1970 @param said what a server said that took it */
export function tellTry(
  log: Log,
  item: Pick<QueueItem, 'id' | 'received'>,
  recipient: QueuedRecipient,
  now: number,
  server: { readonly by: string | null; readonly said: string | null } = { by: null, said: null },
): void {
  const { state } = recipient
  const level = state === 'failed' || state === 'expired' ? 'warn' : 'info'
  log[level]('queue delivery', fieldsOf(item, recipient, now, server))
}

function fieldsOf(
  { id, received }: Pick<QueueItem, 'id' | 'received'>,
  { to, target, state, trouble }: QueuedRecipient,
  now: number,
  { by, said }: { readonly by: string | null; readonly said: string | null },
): Fields {
  const sent = STATUS[state] === 'sent'
  const asked = formatAddress(to)
  const address = target.kind === 'remote' ? formatAddress(target.address) : asked
  const last = sent ? null : trouble
  return {
    id,
    to: address,
    orig_to: address === asked ? undefined : asked,
    relay: by ?? last?.by ?? nameOf(target),
    delay: Math.max(0, Math.round((now - received) / 10) / 100),
    dsn: sent ? '2.0.0' : (trouble?.status ?? '4.0.0'),
    status: STATUS[state],
    said: sent ? (said ?? undefined) : trouble?.text,
  }
}

/** Where it went if no server spoke. The arguments of a program may be secrets. */
function nameOf(target: Target): string {
  if (target.kind === 'remote') return 'none'
  return target.kind === 'program' ? `program ${target.command[0] ?? ''}` : placeOf(target)
}
