/** The ids that Dovecot's POP3 server gives to the messages of a Maildir, in the order of its listing. */
import { DEFAULT_FORMAT, parseUidlFormat } from './dovecot-format.js'
import { type DovecotRecord, parseDovecotUidlist } from './dovecot-uidlist.js'
import type { KnownMessage } from './foreign.js'

/**
 * @param text of `dovecot-uidlist`, a character per octet
 * @param format the setting `pop3_uidl_format`; an id that was saved goes before it
 * @throws ForeignFault
 */
export function knownToDovecot(text: string, format = DEFAULT_FORMAT): KnownMessage[] {
  const uidl = parseUidlFormat(format)
  const { uidValidity, records } = parseDovecotUidlist(text)
  return records.toSorted(byOrder).map((record) => {
    return { base: record.base, uid: record.saved ?? uidl(record, uidValidity) }
  })
}

/** Those that have an order come before those that have none; a stable sort keeps the UIDs' order. */
function byOrder(a: DovecotRecord, b: DovecotRecord): number {
  if (a.order === b.order) return 0
  if (a.order === null || b.order === null) return a.order === null ? 1 : -1
  return a.order - b.order
}
