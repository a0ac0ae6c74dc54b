/** Names and passwords as clients send them, whatever the command: strict UTF-8 (RFC 3629), nothing that RFC 4013 prohibits. */
import { saslprep } from '../cred/saslprep.js'

/** Octets of a name: an address in UTF-8 has room, a novel has not. */
export const MAX_NAME = 512
/** Octets of a password, as everywhere. */
export const MAX_PASSWORD = 1024

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The text exactly as it was sent: names are folded by whoever knows them, passwords
 * prepared by whoever compares them.
 * @returns `null` if it is empty, too long, not UTF-8, or holds a control or another prohibited character
 */
export function clientText(bytes: Buffer, maxOctets: number): string | null {
  if (bytes.length > maxOctets) return null
  const text = utf8(bytes)
  return text === null || saslprep(text) === null ? null : text
}

/** @returns `null` if it is not UTF-8 */
export function utf8(bytes: Buffer): string | null {
  try {
    return UTF8.decode(bytes)
  } catch {
    return null
  }
}
