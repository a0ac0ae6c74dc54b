/**
 * Makes a message whole that a mail program hands in (RFC 6409 section 8):
 * Date and Message-ID are added where they are missing, and who got a blind
 * copy is nobody's business (RFC 5322 section 3.6.3).
 */
import { HEADER_LIMITS, type HeaderField, readHeader } from './headers.js'
import { type Bytes, countLines, fromBuffer, inMemory, type Message } from './message.js'
import { headerTooBig, tooManyFields } from './refusal.js'

export interface Submission {
  /** Unique on this server: for the Message-ID. */
  readonly id: string
  readonly hostname: string
  readonly now: Date
}

const BLIND = ['Bcc', 'Resent-Bcc']

/**
 * @param message with the Received line of this server in front
 * @throws Refusal when its header is too large to be looked at: it could hold a Bcc
 */
export async function completed(message: Message, submission: Submission): Promise<Message> {
  const { fields, cut } = await readHeader(message.open())
  if (cut === 'fields') throw tooManyFields(HEADER_LIMITS.fields)
  if (cut === 'octets') throw headerTooBig(HEADER_LIMITS.octets)
  const kept = fields.filter((field) => !BLIND.some((name) => field.is(name)))
  const added = missing(fields, submission)
  if (added === '' && kept.length === fields.length) return message
  // The trace stays on top.
  const [received, ...others] = kept.map(({ raw }) => raw)
  const header = Buffer.concat([received ?? Buffer.alloc(0), Buffer.from(added), ...others])
  return replaced(message, fields, header)
}

/** Fields to be added, each with its line end. */
function missing(fields: readonly HeaderField[], { id, hostname, now }: Submission): string {
  const has = (name: string): boolean => fields.some((field) => field.is(name))
  const date = has('Date') ? '' : `Date: ${now.toUTCString().replace('GMT', '+0000')}\n`
  return has('Message-ID') ? date : `${date}Message-ID: <${id}@${hostname}>\n`
}

/** The same message with other fields. */
function replaced(message: Message, fields: readonly HeaderField[], header: Buffer): Message {
  const old = fields.reduce((octets, { raw }) => octets + raw.length, 0)
  const oldLines = fields.reduce((lines, { raw }) => lines + countLines(raw), 0)
  const content = message.open()
  if (inMemory(content)) {
    const body = Buffer.concat([...content]).subarray(old)
    return fromBuffer(Buffer.concat([header, body]))
  }
  return {
    size: message.size - old + header.length,
    lines: message.lines - oldLines + countLines(header),
    open: () => behind(header, message.open(), old),
  }
}

async function* behind(header: Buffer, bytes: Bytes, from: number): AsyncIterable<Buffer> {
  yield header
  let skip = from
  for await (const chunk of bytes) {
    const rest = chunk.subarray(Math.min(skip, chunk.length))
    skip -= chunk.length - rest.length
    if (rest.length > 0) yield rest
  }
}
