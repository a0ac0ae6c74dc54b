/**
 * What a report gives back of the mail that it is about (RFC 3461 section 4.3, RFC 6522 section 3):
 * all of it or its header, with nothing in it that could not be sent.
 */
import { isUtf8 } from 'node:buffer'
import type { Header } from '../mail/headers.js'
import type { Message } from '../mail/message.js'
import type { Report } from './dsn.js'

/** Octets of a mail that is given back whole; of a larger one its sender gets the header. */
const MAX_WHOLE = 50 * 1024
/** Octets of a line (RFC 5322 section 2.1.1). */
const MAX_LINE = 998
/** Where a longer one is broken: never within a character, as far as those are characters. */
const LONG_LINE = /[^\n]{980,990}(?![\u0080-\u00bf])(?=[^\n])|[^\n]{990}(?=[^\n])/g
const ASCII_END = 0x80

/** One part of a report. */
export interface Part {
  readonly type: string
  readonly description: string
  /** LF line ends, no CR, no NUL. */
  readonly bytes: Buffer
}

export interface Returned extends Part {
  /** The mail itself, not just its header. */
  readonly whole: boolean
}

/** @param header of the original, as far as it is to be given back */
export async function returned(
  report: Report,
  original: Message,
  header: Header,
): Promise<Returned> {
  const fields = Buffer.concat(header.fields.filter(({ name }) => name !== '').map((f) => f.raw))
  const global = report.utf8 && !isAscii(fields) && isUtf8(fields)
  const content = wantsWhole(report) ? await small(original) : null
  if (content !== null) {
    const type = global ? 'message/global' : 'message/rfc822'
    return { type, description: 'Undelivered mail', bytes: content, whole: true }
  }
  const type = global ? 'message/global-headers' : 'text/rfc822-headers'
  const bytes = harmless(fields, true)
  return { type, description: 'Header of the mail', bytes, whole: false }
}

/** True if no octet is beyond ASCII. */
export function isAscii(bytes: Buffer): boolean {
  return bytes.every((byte) => byte < ASCII_END)
}

/** RFC 3461 section 4.3: RET is about failures; of what is still on its way the header is enough. */
function wantsWhole({ wish, recipients }: Report): boolean {
  return wish?.content !== 'headers' && recipients.some(({ action }) => action === 'failed')
}

/** `null` if it is too large, or has lines that no server must take. */
async function small(original: Message): Promise<Buffer | null> {
  if (original.size > MAX_WHOLE) return null
  const chunks: Buffer[] = []
  for await (const chunk of original.open()) chunks.push(chunk)
  const content = harmless(Buffer.concat(chunks), false)
  return hasLongLine(content) ? null : content
}

function hasLongLine(content: Buffer): boolean {
  let start = 0
  for (let lf = content.indexOf(10); lf !== -1; lf = content.indexOf(10, start)) {
    if (lf - start > MAX_LINE) return true
    start = lf + 1
  }
  return content.length - start > MAX_LINE
}

/** Mail from a spool of old may hold what SMTP never takes. */
function harmless(bytes: Buffer, folds: boolean): Buffer {
  if (!bytes.includes(13) && !bytes.includes(0) && !(folds && hasLongLine(bytes))) return bytes
  const text = bytes
    .toString('latin1')
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', ' ')
    .replaceAll('\0', '?')
  return Buffer.from(folds ? text.replace(LONG_LINE, '$&\n ') : text, 'latin1')
}
