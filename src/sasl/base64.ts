/** Base64 as SASL wants it: one way to write each value, everything else refused (RFC 4648 section 3.5, RFC 5034 section 4). */

/** @returns `null` on strange characters, missing or misplaced padding, stray bits */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  // Node's decoder forgives everything; what it forgave does not come back the same.
  return bytes.toString('base64') === text ? bytes : null
}
