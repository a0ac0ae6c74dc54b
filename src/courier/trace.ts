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
  const lines = `${returnPath(from)}Delivered-To: ${formatAddress(to)}\n`
  return prepend(Buffer.from(lines), message)
}

/**
 * The same for places that share one file. No Delivered-To: it would be another file for each of
 * them, or tell each of them of the others.
 */
export function tracedForAll({ from }: Envelope, message: Message): Message {
  return prepend(Buffer.from(returnPath(from)), message)
}

function returnPath(from: Address | null): string {
  return `Return-Path: <${from === null ? '' : formatAddress(from)}>\n`
}
