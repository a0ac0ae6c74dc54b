/**
 * The list of mailq as Postfix prints it, which scripts have read for decades: columns by blanks,
 * a blank line behind each message, `*` for what is being delivered and `!` for what is held.
 */
import { formatAddress } from '../src/mail/address.js'
import { stateOf } from '../src/queue/chosen.js'
import type { WaitingMessage } from '../src/queue/desk.js'
import type { QueuedRecipient } from '../src/queue/item.js'
import { sizeOf, troubleText } from './queue-facts.js'
import { say } from './terminal.js'

const HEADING = '-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------'
const MARKS: Partial<Readonly<Record<string, string>>> = { active: '*', held: '!' }
/** Postfix's name for the null path. */
const NOBODY = 'MAILER-DAEMON'
const ID_WIDTH = 11
const SIZE_WIDTH = 7
const TIME_WIDTH = 20
/** Where recipients begin. */
const INDENT = ' '.repeat(ID_WIDTH + SIZE_WIDTH + TIME_WIDTH + 3)
/** Where the last character of a short reason stands. */
const REASON_WIDTH = 76
const KILOBYTE = 1_024

export async function sayMailq(all: AsyncIterable<WaitingMessage>): Promise<void> {
  let octets = 0
  let count = 0
  for await (const message of all) {
    // Nobody waits for it any more.
    if (stateOf(message) === 'ended') continue
    say(count === 0 ? HEADING : '')
    sayMessage(message)
    octets += sizeOf(message.item)
    count++
  }
  if (count === 0) return say('Mail queue is empty')
  say()
  say(`-- ${Math.floor(octets / KILOBYTE)} Kbytes in ${count} Request${count === 1 ? '' : 's'}.`)
}

function sayMessage(message: WaitingMessage): void {
  const { item } = message
  const id = `${item.id}${MARKS[stateOf(message)] ?? ''}`.padEnd(ID_WIDTH)
  const size = String(sizeOf(item)).padStart(SIZE_WIDTH)
  const time = arrival(item.received).padStart(TIME_WIDTH)
  say(`${id} ${size} ${time} ${item.from === null ? NOBODY : formatAddress(item.from)}`)
  sayRecipients(item.recipients.filter(({ state }) => state === 'waiting'))
}

/** A reason stands once above all that it keeps waiting. */
function sayRecipients(recipients: readonly QueuedRecipient[]): void {
  let last: string | null = null
  for (const { to, target, trouble } of recipients) {
    const why = trouble === null ? null : `(${troubleText(trouble)})`
    if (why !== null && why !== last) say(why.padStart(REASON_WIDTH))
    last = why
    say(`${INDENT}${formatAddress(target.kind === 'remote' ? target.address : to)}`)
  }
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** As ctime(3) writes it, without the year: `Mon Nov  3 09:05:00`, the time of this machine. */
function arrival(ms: number): string {
  const date = new Date(ms)
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()]
  const time = clock.map((each) => String(each).padStart(2, '0')).join(':')
  return `${DAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${time}`
}
