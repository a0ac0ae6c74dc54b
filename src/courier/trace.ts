/** The header lines of the final delivery. */
import { formatAddress, type Address } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import { type Message, prepend } from '../mail/message.js'

/**
 * The message with Return-Path (RFC 5321 section 4.4) and Delivered-To
 * (RFC 9228) in front.
 * @param to whose place it is
 */
export function traced(to: Address, { from }: Envelope, message: Message): Message {
  const path = from === null ? '' : formatAddress(from)
  const lines = `Return-Path: <${path}>\nDelivered-To: ${formatAddress(to)}\n`
  return prepend(Buffer.from(lines), message)
}
