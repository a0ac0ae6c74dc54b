/**
 * Writes a DKIM-Signature field (RFC 6376 section 3.5, RFC 8463 for Ed25519). Keys work in the
 * thread pool of the process: an RSA signature takes a millisecond that no other client waits for.
 */
import { createHash, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { relaxedField } from './relaxed.js'
import type { SignedFields } from './signed-fields.js'

const signing = promisify<string | null, Buffer, KeyObject, Buffer>(sign)

const NAME = 'DKIM-Signature'
/** Characters of a folded line. */
const LINE = 74

export type Algorithm = 'rsa' | 'ed25519'

export interface SigningKey {
  /** Where its public half is found: `<selector>._domainkey.<domain>`. */
  readonly selector: string
  readonly algorithm: Algorithm
  readonly key: KeyObject
}

export interface Signable {
  /** `d=`, in A-labels. */
  readonly domain: string
  readonly fields: SignedFields
  /** SHA-256 of the relaxed body. */
  readonly bodyHash: Buffer
  /** Seconds since 1970. */
  readonly time: number
}

/** @returns the field, folded, each line ending in LF */
export async function signatureField(signable: Signable, key: SigningKey): Promise<string> {
  const unsigned = valueWithoutSignature(signable, key)
  // The field itself is hashed last, with nothing after `b=` and without a line end (section 3.7).
  const own = relaxedField(NAME, Buffer.from(unsigned))
  const signature = await signatureOf(Buffer.concat([signable.fields.canonical, own]), key)
  return `${NAME}:${unsigned}${folded(signature.toString('base64').split(''), '')}\n`
}

/** There is no `l=`, which would let anybody add to the body, and no `x=`: mail may wait for days. */
function valueWithoutSignature(
  { domain, fields, bodyHash, time }: Signable,
  { selector, algorithm }: SigningKey,
): string {
  const tags = [
    ` v=1; a=${algorithm}-sha256; c=relaxed/relaxed; t=${time}`,
    `d=${domain}`,
    `s=${selector}`,
    `h=${folded(fields.names, ':')}`,
    `bh=${bodyHash.toString('base64')}`,
    'b=',
  ]
  return tags.join(';\n\t')
}

/** Ed25519 signs the hash, not the data (RFC 8463 section 3). */
export function signatureOf(
  data: Buffer,
  { algorithm, key }: Pick<SigningKey, 'algorithm' | 'key'>,
): Promise<Buffer> {
  if (algorithm === 'rsa') return signing('sha256', data, key)
  return signing(null, createHash('sha256').update(data).digest(), key)
}

/** Joins words, going on in a new line before one gets too long. */
function folded(words: readonly string[], joint: string): string {
  let text = ''
  let column = 0
  words.forEach((word, at) => {
    const piece = at === words.length - 1 ? word : word + joint
    const full = column + piece.length > LINE
    text += full ? `\n\t${piece}` : piece
    column = (full ? 0 : column) + piece.length
  })
  return text
}
