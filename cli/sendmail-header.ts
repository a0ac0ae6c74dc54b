/** The header of a message that a program pipes in: whom it names, and what it lacks (RFC 5322 section 3.6). */
import { type Address, formatAddress } from '../src/mail/address.js'
import { type ListedAddress, parseAddressList } from '../src/mail/address-list.js'
import { type HeaderField, HEADER_LIMITS, readHeader } from '../src/mail/headers.js'
import { Exit, Failure } from './exit.js'

const RECIPIENTS = ['To', 'Cc', 'Bcc']
const RESENT = RECIPIENTS.map((name) => `Resent-${name}`)
/** Characters of a name in From. */
const MAX_NAME = 200
/** Octets of a name in one encoded word, whose 75 characters hold 45 (RFC 2047 section 2). */
const MAX_ENCODED = 42

/** A message with an empty line before its body, and its fields. */
interface Composed {
  readonly bytes: Buffer
  readonly fields: readonly HeaderField[]
}

/**
 * The header ends where the first line is that is none of it: the body begins there, whether the
 * program wrote the empty line or not.
 * @throws Failure badData for a header that is too large to be looked at
 */
export async function composed(bytes: Buffer): Promise<Composed> {
  const { fields, cut } = await readHeader([bytes])
  if (cut !== null)
    throw new Failure(Exit.badData, `the header has more than ${HEADER_LIMITS[cut]} ${cut}`)
  const wrong = fields.findIndex(({ name }) => name === '')
  const kept = wrong === -1 ? fields : fields.slice(0, wrong)
  const size = kept.reduce((octets, { raw }) => octets + raw.length, 0)
  if (bytes[size] === LF) return { bytes, fields: kept }
  const whole = [bytes.subarray(0, size), Buffer.from('\n'), bytes.subarray(size)]
  return { bytes: Buffer.concat(whole), fields: kept }
}

const LF = 10

/**
 * What `-t` finds. A message that is sent on names its new recipients in Resent- fields; then the
 * others are those of old (RFC 5322 section 3.6.6), and of several such blocks the first is the new one.
 * @throws Failure badData for a field that is no list of addresses: a recipient would be lost
 */
export function recipientsIn(fields: readonly HeaderField[]): readonly ListedAddress[] {
  const resent = newestBlock(fields).filter((field) => RESENT.some((name) => field.is(name)))
  const named = fields.filter((field) => RECIPIENTS.some((name) => field.is(name)))
  return (resent.length > 0 ? resent : named).flatMap((field) => {
    const { addresses, faults } = parseAddressList(field.text)
    if (faults.length === 0) return addresses
    throw new Failure(Exit.badData, `${field.name}: '${faults[0]}' is no address`)
  })
}

/** A Resent- field of a name that was there before belongs to an older block. */
function newestBlock(fields: readonly HeaderField[]): readonly HeaderField[] {
  const seen = new Set<string>()
  const block: HeaderField[] = []
  for (const field of fields) {
    const name = field.name.toLowerCase()
    if (!name.startsWith('resent-')) continue
    if (seen.has(name)) break
    seen.add(name)
    block.push(field)
  }
  return block
}

/** The message with a From, if it has none. */
export function withFrom({ bytes, fields }: Composed, from: Address, name: string | null): Buffer {
  if (fields.some((field) => field.is('From'))) return bytes
  return Buffer.concat([Buffer.from(`From: ${fromText(from, name)}\n`), bytes])
}

function fromText(from: Address, name: string | null): string {
  // Half a character at the cut goes, too: it is in \p{C}.
  const shown = (name ?? '')
    .slice(0, MAX_NAME)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
  const address = formatAddress(from)
  return shown === '' ? address : `${phrase(shown)} <${address}>`
}

/** RFC 5322 section 3.2.5, and RFC 2047 section 5 for what is not ASCII. */
function phrase(text: string): string {
  if (/^[\w !#$%&'*+/=?^`{|}~-]+$/.test(text)) return text
  if (/^[ -~]+$/.test(text)) return `"${text.replace(/["\\]/g, '\\$&')}"`
  const words: string[] = []
  let piece = ''
  for (const character of text) {
    if (Buffer.byteLength(piece + character) > MAX_ENCODED) {
      words.push(piece)
      piece = ''
    }
    piece += character
  }
  const encoded = [...words, piece].map((word) => Buffer.from(word).toString('base64'))
  return encoded.map((word) => `=?UTF-8?B?${word}?=`).join('\n ')
}
