/**
 * Writes a report about a mail: multipart/report with a letter for people, fields for programs,
 * and what is given back of the mail (RFC 6522, RFC 3464, RFC 6533). It is put together in memory,
 * as everything in it has a limit, and comes out the same each time for the same report.
 */
import { createHash } from 'node:crypto'
import { formatAddress } from '../mail/address.js'
import { type Header, readHeader } from '../mail/headers.js'
import { fromBuffer, type Message } from '../mail/message.js'
import type { Report } from './dsn.js'
import { letter, subjectOf } from './letter.js'
import { isAscii, type Part, returned } from './original.js'
import { needsUtf8, statusFields } from './status.js'
import { dateOf, exactField, printable } from './text.js'

/** Of the original's header; what is behind them is left out. */
const RETURNED_HEADER = { octets: 64 * 1024, fields: 10_000 }
/** Nobody can write a text that holds a hash of itself; a second try is for the mathematics. */
const MAX_BOUNDARIES = 8
/** One identifier, printable and short (RFC 5322 section 3.6.4). */
const MESSAGE_ID = /^<[!-;=?-~]{1,250}>$/

/**
 * @param original the mail with LF line ends, its trace of this server in front
 * @returns a message for the reverse-path `<>`, with LF line ends and no CR
 * @throws whatever reading the original throws; Error if the report tells of nobody
 */
export async function composeReport(report: Report, original: Message): Promise<Message> {
  if (report.recipients.length === 0) throw new Error('a report that tells of nobody')
  const header = await readHeader(original.open(), RETURNED_HEADER)
  const given = await returned(report, original, header)
  const parts = [letterPart(letter(report, given.whole)), statusPart(report), given]
  const boundary = boundaryFor(report.id, parts)
  const front = headerOf(report, header, parts, boundary)
  const body = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\n${partHeader(part)}\n`),
    part.bytes,
    LF,
  ])
  return fromBuffer(Buffer.concat([Buffer.from(front), ...body, Buffer.from(`--${boundary}--\n`)]))
}

const LF = Buffer.from('\n')

function letterPart(text: string): Part {
  const bytes = Buffer.from(text)
  const charset = isAscii(bytes) ? 'us-ascii' : 'utf-8'
  return { type: `text/plain; charset=${charset}`, description: 'What happened', bytes }
}

function statusPart(report: Report): Part {
  const utf8 = needsUtf8(report)
  const bytes = Buffer.from(statusFields(report, utf8))
  return { type: `message/${statusType(utf8)}`, description: 'Delivery report', bytes }
}

function statusType(utf8: boolean): string {
  return utf8 ? 'global-delivery-status' : 'delivery-status'
}

function headerOf(report: Report, original: Header, parts: Part[], boundary: string): string {
  const hostname = printable(report.hostname, false)
  const id = report.id.replace(/[^A-Za-z0-9.-]/g, '-')
  return [
    exactField('From', `Mail Delivery System <MAILER-DAEMON@${hostname}>`),
    exactField('To', `<${printable(formatAddress(report.to), true)}>`),
    exactField('Subject', subjectOf(report)),
    exactField('Date', dateOf(report.now)),
    exactField('Message-ID', `<${id}@${hostname}>`),
    inReplyTo(original),
    // RFC 3834 section 5: no program is to answer it.
    exactField('Auto-Submitted', 'auto-replied'),
    exactField('MIME-Version', '1.0'),
    exactField('Content-Type', `multipart/report; report-type=${statusType(needsUtf8(report))};`),
    `\tboundary="${boundary}"\n`,
    exactField('Content-Transfer-Encoding', encodingOf(parts)),
    '\n',
  ].join('')
}

/** So that mail programs show it with the mail that it is about. */
function inReplyTo({ fields }: Header): string {
  const id = fields.find((field) => field.is('Message-ID'))?.text ?? ''
  return MESSAGE_ID.test(id) ? exactField('In-Reply-To', id) + exactField('References', id) : ''
}

function partHeader(part: Part): string {
  return [
    exactField('Content-Type', part.type),
    exactField('Content-Description', part.description),
    exactField('Content-Transfer-Encoding', encodingOf([part])),
  ].join('')
}

function encodingOf(parts: readonly Part[]): string {
  return parts.every(({ bytes }) => isAscii(bytes)) ? '7bit' : '8bit'
}

/** No line of any part begins like it (RFC 2046 section 5.1.1). */
function boundaryFor(id: string, parts: readonly Part[]): string {
  for (let attempt = 0; attempt < MAX_BOUNDARIES; attempt++) {
    const hash = createHash('sha256').update(`${attempt} ${id}\n`)
    for (const { bytes } of parts) hash.update(bytes)
    const boundary = `=_${hash.digest('hex').slice(0, 40)}`
    if (!parts.some(({ bytes }) => bytes.includes(boundary))) return boundary
  }
  throw new Error('no boundary for a report')
}
