/** RETR and TOP: exact octets, line ends, dots, lines (RFC 1939 sections 3, 5, 7 and 11). */
import { type Bench, fail, note, pass, type Row, skip, type Verdict, verdict } from '../row.js'
import type { Mail } from '../survey.js'
import {
  bareLineEnds,
  bodyLineCount,
  hasBlankLine,
  topOf,
  unstuffed,
  unstuffedDots,
} from '../wire-text.js'

/** So many messages are asked for once more, by RETR or TOP. */
const MAX_COMPARED = 20
/** More lines than any mail has. */
const ALL_LINES = 2_000_000_000

type Retrieved = Mail & { readonly wire: Buffer }

export const retrieval: readonly Row[] = [
  {
    id: 'retr',
    what: 'every message that LIST names can be retrieved',
    rfc: 'RFC 1939 §5 RETR',
    check({ drop: { mails, sizes } }) {
      if (mails.length === 0) return skip('the mailbox is empty')
      const refused = mails.filter(({ wire }) => wire === null)
      const part = mails.length < sizes.size ? `the newest ${mails.length} of ${sizes.size}` : ''
      return verdict(
        '+OK',
        refused.map(({ number, status }) => `RETR ${number}: ${status}`),
        part,
      )
    },
  },
  perMail('retr-octets', 'RETR sends as many octets as LIST says', 'RFC 1939 §11', 'equal sizes', {
    fault({ number, size, wire }) {
      const { length } = unstuffed(wire)
      return length === size ? null : `message ${number}: LIST ${size}, RETR ${length}`
    },
  }),
  perMail('retr-lines', 'every line of a message ends in CR LF', 'RFC 1939 §3', 'CR LF', {
    fault({ number, wire }) {
      const bare = bareLineEnds(wire)
      return bare === 0 ? null : `message ${number}: ${bare} lines end in LF alone`
    },
  }),
  perMail(
    'retr-dots',
    'a line that begins with a dot has another put before it',
    'RFC 1939 §3',
    '..',
    {
      fault({ number, wire }) {
        const dots = unstuffedDots(wire)
        return dots === 0 ? null : `message ${number}: ${dots} lines with a single dot`
      },
    },
  ),
  {
    id: 'retr-in-step',
    what: 'behind the final dot of RETR comes the answer to the next command, and nothing else',
    rfc: 'RFC 1939 §3',
    async check(bench) {
      const some = retrieved(bench).slice(-MAX_COMPARED)
      if (some.length === 0) return skip('the mailbox is empty')
      const client = await bench.login()
      for (const { number } of some) {
        await client.ask(`RETR ${number}`)
        const { status } = await client.ask(`LIST ${number}`)
        if (!status.startsWith(`+OK ${number} `)) return fail(`+OK ${number} …`, status)
      }
      return pass()
    },
  },
  {
    id: 'retr-again',
    what: 'RETR sends the same octets in the next session',
    rfc: 'RFC 1939 §5 RETR',
    check: (bench) =>
      compare(
        bench,
        retrieved(bench),
        ({ number }) => `RETR ${number}`,
        ({ wire }) => wire,
      ),
  },
  top('top-zero', 'TOP n 0 is the header and the blank line', () => 0),
  top('top-some', 'TOP n 1 has one line of the body', () => 1),
  top('top-half', 'TOP n k has k lines of the body', ({ wire }) => bodyLineCount(wire) >> 1),
  top('top-exact', 'TOP with all lines is the whole message', ({ wire }) => bodyLineCount(wire)),
  top('top-beyond', 'TOP with more lines than there are is the whole message', () => ALL_LINES),
  {
    id: 'long-body-line',
    what: 'lines of mails are no longer than 998 octets',
    rfc: 'RFC 5322 §2.1.1',
    check(bench) {
      const long = retrieved(bench).filter(({ marker, wire }) => marker === null && hasLong(wire))
      return long.length === 0 ? pass() : note(`longer lines in ${long.length} messages`)
    },
  },
]

function retrieved({ drop }: Bench): Retrieved[] {
  return drop.mails.filter((mail): mail is Retrieved => mail.wire !== null)
}

function perMail(
  id: string,
  what: string,
  rfc: string,
  expected: string,
  { fault }: { fault: (mail: Retrieved) => string | null },
): Row {
  return {
    id,
    what,
    rfc,
    check(bench) {
      const mails = retrieved(bench)
      if (mails.length === 0) return skip('the mailbox is empty')
      return verdict(
        expected,
        mails.flatMap((mail) => fault(mail) ?? []),
        `${mails.length} messages`,
      )
    },
  }
}

/** Without a blank line the RFC leaves open whether TOP adds one. */
function top(id: string, what: string, lines: (mail: Retrieved) => number): Row {
  return {
    id,
    what,
    rfc: 'RFC 1939 §7 TOP',
    async check(bench) {
      if (bench.after?.has('TOP') === false) return skip('TOP is not announced')
      const mails = retrieved(bench).filter(({ wire }) => hasBlankLine(wire))
      return compare(
        bench,
        mails,
        (mail) => `TOP ${mail.number} ${lines(mail)}`,
        (mail) => topOf(mail.wire, lines(mail)),
      )
    },
  }
}

/** Asks for each message and compares octet by octet. */
async function compare(
  bench: Bench,
  mails: readonly Retrieved[],
  command: (mail: Retrieved) => string,
  expected: (mail: Retrieved) => Buffer,
): Promise<Verdict> {
  const some = mails.slice(-MAX_COMPARED)
  if (some.length === 0) return skip('the mailbox is empty')
  const client = await bench.login()
  const faults: string[] = []
  for (const mail of some) {
    const { status, body } = await client.ask(command(mail))
    const wanted = expected(mail)
    if (body === null) faults.push(`${command(mail)}: ${status}`)
    else if (!body.equals(wanted)) faults.push(`${command(mail)}: ${difference(body, wanted)}`)
  }
  return verdict('the same octets as the message has', faults, `${some.length} messages`)
}

function difference(came: Buffer, wanted: Buffer): string {
  const length = Math.min(came.length, wanted.length)
  let at = 0
  while (at < length && came[at] === wanted[at]) at++
  return `${came.length} octets instead of ${wanted.length}, other from octet ${at}`
}

function hasLong(wire: Buffer): boolean {
  return wire
    .toString('latin1')
    .split('\n')
    .some((line) => line.length > 999)
}
