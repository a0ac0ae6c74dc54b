/**
 * Ends mail that goes in circles (RFC 5321 section 6.3): by the number of
 * servers that it came through, and by the sign that the local courier puts on
 * whatever it delivers (RFC 9228).
 */
import { type Address, identity, parseAddress } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import { type HeaderField, readHeader } from '../mail/headers.js'
import { type Bytes, inMemory, type Message } from '../mail/message.js'
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
    if (isStraight(message.open())) return PASS
    const { fields } = await readHeader(message.open(), LIMITS)
    if (fields.length > MAX_RECEIVED + OWN) {
      const received = fields.filter((field) => field.is('Received'))
      if (received.length > MAX_RECEIVED + OWN) throw mailLoop()
    }
    // Members may send on what came to them, to themselves, too.
    if (client.user === null && allHadIt(to, fields)) throw mailLoop()
    return PASS
  }
}

/** As the local courier writes it, and as a server on the way may have made it: what was here before has one of them. */
const SIGNS = ['Delivered-To:', 'delivered-to:', 'DELIVERED-TO:'].map((sign) => Buffer.from(sign))
/** In fewer octets there is no room for too many `Received:` lines. */
const ROOM = (MAX_RECEIVED + OWN) * 'Received:\n'.length

/** Most mail is seen at a glance not to go in circles: its header is short and without the sign. */
function isStraight(bytes: Bytes): boolean {
  if (!inMemory(bytes)) return false
  let before = 0
  for (const chunk of bytes) {
    const end = chunk.indexOf('\n\n')
    const header = end === -1 ? chunk : chunk.subarray(0, end)
    before += header.length
    if (before > ROOM || SIGNS.some((sign) => header.includes(sign))) return false
    if (end !== -1) return true
  }
  return true
}

/**
 * One answer goes to all recipients: whoever has not had the message gets it, though others have,
 * and the count of Received ends what circles on. Only local mailboxes are recipients of
 * strangers' mail, so that no other server can have meant them.
 */
function allHadIt(to: readonly Address[], fields: readonly HeaderField[]): boolean {
  const had = new Set(fields.flatMap(deliveredTo))
  return had.size > 0 && to.length > 0 && to.every((recipient) => had.has(identity(recipient)))
}

/** None if this field does not say it. */
function deliveredTo(field: HeaderField): string[] {
  const address = field.is('Delivered-To') ? parseAddress(field.text) : null
  return address === null ? [] : [identity(address)]
}
