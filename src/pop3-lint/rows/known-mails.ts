/** The test messages come out as they went in (RFC 1939 section 3, and the line ends of RFC 5322). */
import { fail, pass, type Row, skip, verdict } from '../row.js'
import { onTheWire, TEST_MESSAGES } from '../test-messages.js'
import { unstuffed } from '../wire-text.js'

/** What each is good for. Twins are for UIDL and are no row of their own. */
const WHAT: Readonly<Record<string, string>> = {
  dots: 'lines of dots',
  'first-dot': 'a dot as the first octet of the message',
  edges: '6000 lines that begin with dots, at every offset of a buffer',
  'no-newline': 'a last line without an end',
  'dot-no-newline': 'a last line that is a dot without an end',
  'header-only': 'a message without a blank line and body',
  'empty-body': 'a message without a body',
  'blank-lines': 'blank lines at the begin and end of a body',
  lines: 'a body of 40 lines',
  'long-lines': 'lines of 998, 8192 and 65543 octets',
  'eight-bit': 'octets above 127',
  crlf: 'a message stored with CR LF',
}

export const knownMails: readonly Row[] = Object.entries(WHAT).map(([marker, what]) => ({
  id: `mail-${marker}`,
  what: `${what}: RETR sends it unchanged`,
  rfc: 'RFC 1939 §3, §5 RETR',
  check({ drop }) {
    const found = drop.mails.filter((mail) => mail.marker === marker)
    if (found.length === 0) return skip(`test message ${marker}.eml is not there (--messages)`)
    const wanted = onTheWire(TEST_MESSAGES.find((message) => message.marker === marker)!)
    return verdict(
      'the message as it was stored',
      found
        .map(({ number, wire }) => ({ number, came: unstuffed(wire!) }))
        .filter(({ came }) => !endsWith(came, wanted))
        .map(({ number, came }) => `message ${number}: ${ending(came, wanted)}`),
    )
  },
}))

export const twins: Row = {
  id: 'uidl-twins',
  what: 'two messages with the same content have two unique-ids',
  rfc: 'RFC 1939 §7 UIDL',
  check({ drop }) {
    const numbers = drop.mails.filter(({ marker }) => marker === 'twin').map(({ number }) => number)
    if (numbers.length < 2) return skip('test messages twin-1.eml, twin-2.eml are not there')
    if (drop.uids.size === 0) return skip('no UIDL')
    const uids = numbers.map((number) => drop.uids.get(number) ?? '')
    const all = new Set(uids).size === uids.length
    return all ? pass() : fail('different ids', uids.join(' '))
  },
}

function endsWith(came: Buffer, wanted: Buffer): boolean {
  return came.length >= wanted.length && came.subarray(-wanted.length).equals(wanted)
}

/** Where it goes wrong, looked at from the end: above it a delivery program may have added lines. */
function ending(came: Buffer, wanted: Buffer): string {
  let back = 0
  while (back < came.length && came.at(-1 - back) === wanted.at(-1 - back)) back++
  const near = came.toString('latin1', Math.max(0, came.length - back - 10), came.length - back)
  return `${came.length} octets, wrong before the last ${back}: ${JSON.stringify(near)}`
}
