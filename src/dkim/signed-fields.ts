/**
 * Which header fields a signature covers (RFC 6376 section 5.4). The fields that tell a reader who
 * writes what to whom are named once more than they are there, so that nobody can add another one
 * on the way (section 8.15).
 */
import type { HeaderField } from '../mail/headers.js'
import { relaxedField } from './relaxed.js'

/** Nobody may add one of these. */
const SEALED =
  'From Reply-To To Cc Subject Date Message-ID MIME-Version Content-Type Content-Transfer-Encoding'.split(
    ' ',
  )
/** Signed where they are there; mailing lists and clients on the way may well add them. */
const COVERED = (
  'Sender In-Reply-To References Auto-Submitted Content-ID List-Id List-Help List-Post List-Owner ' +
  'List-Archive List-Subscribe List-Unsubscribe List-Unsubscribe-Post'
).split(' ')
const LINE_END = Buffer.from('\r\n')
/** Fields that one signature covers; each is named in it. */
const MAX_SIGNED = 100

export interface SignedFields {
  /** For `h=`, in the order of hashing. */
  readonly names: readonly string[]
  /** What is hashed of them: relaxed, each with its line end. */
  readonly canonical: Buffer
}

/** @returns `null` if there are more of them than a signature should name */
export function signedFields(fields: readonly HeaderField[]): SignedFields | null {
  const names: string[] = []
  const canonical: Buffer[] = []
  for (const name of [...SEALED, ...COVERED]) {
    // Of several, verifiers take the last first (RFC 6376 section 5.4.2).
    const instances = fields.filter((field) => field.is(name)).toReversed()
    if (names.length + instances.length > MAX_SIGNED) return null
    names.push(...instances.map(() => name), ...(SEALED.includes(name) ? [name] : []))
    for (const field of instances) canonical.push(relaxedField(field.name, field.value), LINE_END)
  }
  return { names, canonical: Buffer.concat(canonical) }
}
