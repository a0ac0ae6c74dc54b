/**
 * Ends mail that goes in circles (RFC 5321 section 6.3): by the number of
 * servers that it came through, and by the sign that the local courier puts on
 * whatever it delivers (RFC 9228).
 */
import { identity, parseAddress } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import { type HeaderField, readHeader } from '../mail/headers.js'
import type { Message } from '../mail/message.js'
import { mailLoop } from '../mail/refusal.js'
import { type Filter, PASS, type Verdict } from './filter.js'

/** Received fields that a message may come with: RFC 5321 section 6.3 asks for 100 at least. */
const MAX_RECEIVED = 100
/** The one that this server has put in front. */
const OWN = 1
/** Who handles a message writes in front: a hundred servers write some 50 KB. */
const LIMITS = { octets: 256 * 1024, fields: 2_000 }

export class LoopFilter implements Filter {
  readonly name = 'loop'

  async message({ to }: Envelope, message: Message): Promise<Verdict> {
    const { fields } = await readHeader(message.open(), LIMITS)
    const received = fields.filter((field) => field.is('Received'))
    if (received.length > MAX_RECEIVED + OWN) throw mailLoop()
    const recipients = new Set(to.map(identity))
    if (fields.some((field) => deliveredTo(field, recipients))) throw mailLoop()
    return PASS
  }
}

/** Only local mailboxes are recipients here, so that no other server can have meant them. */
function deliveredTo(field: HeaderField, recipients: ReadonlySet<string>): boolean {
  if (!field.is('Delivered-To')) return false
  const address = parseAddress(field.text)
  return address !== null && recipients.has(identity(address))
}
