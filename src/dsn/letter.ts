/** The part of a report that people read (RFC 6522 section 3): what happened, to whom, why, and what to do. */
import { formatAddress } from '../mail/address.js'
import type { DsnAction, Report, ReportedRecipient } from './dsn.js'
import { failureOf, troubleOf } from './reasons.js'
import { MAX_LISTED, quoted, statusOf } from './status.js'
import { bounded, dateOf, printable, wrapped } from './text.js'

/** Recipients that are told of one by one; the others stand in the part for programs. */
const MAX_TOLD = 20
/** Octets of a server's name. */
const MAX_HOST = 255
const INDENT = '    '

interface Wording {
  readonly subject: string
  /** The first line of the letter, before and behind who it is about. */
  readonly before: string
  readonly behind: string
}

/** The worst comes first, and names the report. */
const WORDINGS: ReadonlyMap<DsnAction, Wording> = new Map([
  [
    'failed',
    {
      subject: 'Undelivered mail returned to sender',
      before: 'Your mail could not be delivered to',
      behind: '.',
    },
  ],
  [
    'delayed',
    {
      subject: 'Delayed mail: it is still being tried',
      before: 'Your mail has not yet been delivered to',
      behind: '; it is still being tried. You need not send it again.',
    },
  ],
  [
    'delivered',
    { subject: 'Your mail was delivered', before: 'Your mail was delivered to', behind: '.' },
  ],
  [
    'relayed',
    {
      subject: 'Your mail was passed on',
      before: 'Your mail was passed on, to a server that may send no report, for',
      behind: '.',
    },
  ],
  [
    'expanded',
    {
      subject: 'Your mail was passed on',
      before: 'Your mail was passed on to all who get the mail of',
      behind: '.',
    },
  ],
])

/** The Subject of the report. */
export function subjectOf(report: Report): string {
  return groups(report)[0]![0].subject
}

/** @param whole the mail itself follows, not just its header */
export function letter(report: Report, whole: boolean): string {
  const parts = groups(report).map((group) => openingOf(...group))
  return [
    ...parts,
    paragraph(origin(report)),
    ...recipients(report),
    paragraph(ending(report, whole)),
  ].join('\n')
}

function groups({ recipients: all }: Report): [Wording, ReportedRecipient[]][] {
  return [...WORDINGS]
    .map(([action, wording]): [Wording, ReportedRecipient[]] => [
      wording,
      all.filter((one) => one.action === action),
    ])
    .filter(([, those]) => those.length > 0)
}

function openingOf({ before, behind }: Wording, those: readonly ReportedRecipient[]): string {
  const whom = those.length === 1 ? nameOf(those[0]!) : `${those.length} of its recipients`
  return paragraph(`${before} ${whom}${behind}`)
}

function origin({ hostname, arrived, about }: Report): string {
  const host = printable(hostname, false)
  const number = printable(about, false)
  return `This is the mail server ${host}. Your mail came here on ${dateOf(arrived)} and has the number ${number} here.`
}

/** Those with bad news first. */
function recipients(report: Report): string[] {
  const all = groups(report).flatMap(([, those]) => those)
  const told = all.slice(0, MAX_TOLD).map(recipient)
  const left = all.length - told.length
  if (left === 0) return told
  const where =
    all.length > MAX_LISTED
      ? `the first ${MAX_LISTED} stand in the second part of this report`
      : 'all of them stand in the second part of this report'
  return [...told, paragraph(`... and ${left} more; ${where}.`)]
}

function recipient(one: ReportedRecipient): string {
  const lines = [`<${nameOf(one)}>`, ...explanation(one)]
  return `${lines.map((line) => wrapped(line, INDENT, INDENT.length)).join(`\n${INDENT}`)}\n`
}

function explanation(one: ReportedRecipient): string[] {
  const { action, retryUntil, diagnostic } = one
  if (action === 'delivered') return ['It is in the mailbox.']
  if (action !== 'failed' && action !== 'delayed') return ['It was passed on.']
  if (action === 'failed') return [failureOf(statusOf(one)) ?? unknown(diagnostic), ...answer(one)]
  const until = retryUntil === null ? [] : [`It is tried until ${dateOf(retryUntil)}.`]
  return [troubleOf(statusOf(one)), ...answer(one), ...until]
}

function unknown(diagnostic: string | null): string {
  return diagnostic === null ? 'The reason is not known.' : 'The reason is what the server said.'
}

function answer({ diagnostic, remote }: ReportedRecipient): string[] {
  if (diagnostic === null) return []
  const who = remote === null ? 'This server' : printable(bounded(remote, MAX_HOST), false)
  return [`${who} said: ${quoted(diagnostic, true)}`]
}

function ending({ recipients: all }: Report, whole: boolean): string {
  const follows = whole ? 'the mail itself' : 'the header of the mail'
  const bad = all.some(({ action }) => action === 'failed')
  const help = bad
    ? 'If that does not help, show this report to the administrator of your mail. '
    : ''
  return `${help}A program wrote this report. A part for programs follows, and ${follows}.`
}

function nameOf({ to }: ReportedRecipient): string {
  return printable(formatAddress(to), true)
}

function paragraph(text: string): string {
  return `${wrapped(text, '', 0)}\n`
}
