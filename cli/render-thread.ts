/** The thread that takes a message apart: MIME and HTML of strangers, away from everything else. The one door to mailparser. */
import { parentPort } from 'node:worker_threads'
import { simpleParser, type AddressObject } from 'mailparser'

/** A message for people. */
export interface Rendered {
  /** What is not there is empty. */
  readonly from: string
  readonly to: string
  readonly cc: string
  readonly subject: string
  /** ISO 8601; empty if there is none, or none that can be read. */
  readonly date: string
  readonly text: string
  readonly attachments: readonly RenderedAttachment[]
}

export interface RenderedAttachment {
  readonly name: string
  readonly type: string
  readonly octets: number
}

/** Characters of HTML that become text; more takes seconds. */
const MAX_HTML = 5_000_000

parentPort?.once('message', (message: Uint8Array) => {
  void render(Buffer.from(message)).then((rendered) => parentPort?.postMessage(rendered))
})

async function render(message: Buffer): Promise<Rendered> {
  const options = { skipTextToHtml: true, skipImageLinks: true, maxHtmlLengthToParse: MAX_HTML }
  const mail = await simpleParser(message, options)
  return {
    from: mail.from?.text ?? '',
    to: textOf(mail.to),
    cc: textOf(mail.cc),
    subject: mail.subject ?? '',
    date:
      mail.date === undefined || Number.isNaN(mail.date.getTime()) ? '' : mail.date.toISOString(),
    text: mail.text ?? '',
    attachments: mail.attachments.map(({ filename, contentType, size }) => {
      return { name: filename ?? '', type: contentType, octets: size }
    }),
  }
}

function textOf(addresses: AddressObject | AddressObject[] | undefined): string {
  if (addresses === undefined) return ''
  return [addresses]
    .flat()
    .map(({ text }) => text)
    .join(', ')
}
