/**
 * Mails that try what servers get wrong. They are put into the mailbox beforehand, and known again
 * by one header line; a delivery program may put its own lines above them.
 */
import type { Buffer as Bytes } from 'node:buffer'

const MARKER = 'X-Mailtap-Lint'
/** How much of a message is looked at for the marker. */
const MAX_HEADER = 16_384
/** Enough to put a dot at every offset of the buffers that servers read through. */
const EDGE_LINES = 6000

export interface TestMessage {
  /** Of the file, without `.eml`. */
  readonly name: string
  /** What stands behind the marker: twins have the same. */
  readonly marker: string
  /** As it has to be stored. */
  readonly bytes: Bytes
}

/** Which test message this is; `null` for any other mail. */
export function markerOf(wire: Bytes): string | null {
  const header = wire.toString('latin1', 0, MAX_HEADER)
  const found = /(?:^|\n)X-Mailtap-Lint: ([a-z-]{1,32})\r{0,2}\n/.exec(header)
  return found?.[1] ?? null
}

/** The message as it must come over the wire, dots not yet put before lines. */
export function onTheWire({ bytes }: TestMessage): Bytes {
  const text = bytes.toString('latin1').replace(/(?<!\r)\n/g, '\r\n')
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1')
}

const header = (marker: string): string =>
  [
    'From: lint <lint@example.com>',
    'To: you <you@example.com>',
    `Subject: mailtap pop3-lint: ${marker}`,
    'Date: Thu, 01 Jan 2026 00:00:00 +0000',
    `Message-ID: <${marker}@lint.example.com>`,
    `${MARKER}: ${marker}`,
    '',
  ].join('\n')

/** @param body with LF line ends @param name of the file, when it is not the marker */
function message(marker: string, body: string | Bytes, name = marker): TestMessage {
  const below = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  return { name, marker, bytes: Buffer.concat([Buffer.from(header(marker)), below]) }
}

const DOTS = '\n.\n..\n...\n. x\n.x\n\n.\n'
const LINES = Array.from({ length: 40 }, (_, line) => `line ${line + 1}\n`).join('')
const LONG = `\n${'x'.repeat(998)}\n${'y'.repeat(65_543)}\n.${'z'.repeat(8191)}\nend\n`
const EDGES = Array.from(
  { length: EDGE_LINES },
  (_, line) => `${'.'.repeat(1 + (line % 7))}${'x'.repeat(line % 61)}\n`,
).join('')
const HIGH = Buffer.from(Array.from({ length: 128 }, (_, octet) => 128 + octet))
const FIRST_DOT: TestMessage = {
  name: 'first-dot',
  marker: 'first-dot',
  bytes: Buffer.from(`.Lint: the first octet is a dot\n${header('first-dot')}\nbody\n`),
}
const CRLF: TestMessage = {
  name: 'crlf',
  marker: 'crlf',
  bytes: Buffer.from(`${header('crlf')}\nstored\n.with CR LF\n\n`.replaceAll('\n', '\r\n')),
}

export const TEST_MESSAGES: readonly TestMessage[] = [
  message('dots', DOTS),
  FIRST_DOT,
  message('edges', `\n${EDGES}`),
  message('no-newline', '\nthe last line has no end'),
  message('dot-no-newline', '\nthe last line is a dot\n.'),
  message('header-only', ''),
  message('empty-body', '\n'),
  message('blank-lines', '\n\n\n\nafter three blank lines\n\n\n'),
  message('lines', `\n${LINES}`),
  message('long-lines', LONG),
  message(
    'eight-bit',
    Buffer.concat([Buffer.from('\ngr\u00fc\u00dfe\n'), HIGH, Buffer.from('\n')]),
  ),
  CRLF,
  message('twin', '\nthere are two of me\n', 'twin-1'),
  message('twin', '\nthere are two of me\n', 'twin-2'),
]
