/**
 * Ends mail that goes in circles (RFC 5321 section 6.3): by the number of
 * servers that it came through, and by the sign that the local courier puts on
 * whatever it delivers (RFC 9228).
 */
import { type Address, identity, parseAddress } from '../mail/address.js'
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

  async message({ to, client }: Envelope, message: Message): Promise<Verdict> {
    const { fields } = await readHeader(message.open(), LIMITS)
    const received = fields.filter((field) => field.is('Received'))
    if (received.length > MAX_RECEIVED + OWN) throw mailLoop()
    // Members may send on what came to them, to themselves, too.
    if (client.user === null && allHadIt(to, fields)) throw mailLoop()
    return PASS
  }
}

/**
 * One answer goes to all recipients: whoever has not had the message gets it, though others have,
 * and the count of Received ends what circles on. Only local mailboxes are recipients of
 * strangers' mail, so that no other server can have meant them.
 */
function allHadIt(to: readonly Address[], fields: readonly HeaderField[]): boolean {
  const had = new Set(fields.flatMap(deliveredTo))
  return to.length > 0 && to.every((recipient) => had.has(identity(recipient)))
}

/** None if this field does not say it. */
function deliveredTo(field: HeaderField): string[] {
  const address = field.is('Delivered-To') ? parseAddress(field.text) : null
  return address === null ? [] : [identity(address)]
}
