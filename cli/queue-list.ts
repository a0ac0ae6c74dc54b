/** `mailtap queue list`: what waits, a message at a time: there may be very many. */
import type { WaitingMessage } from '../src/queue/desk.js'
import type { QueuedRecipient } from '../src/queue/item.js'
import type { Given } from './command.js'
import { printList } from './json-lines.js'
import { sayMailq } from './mailq.js'
import { looking } from './queue-desk.js'
import { factsOf, pathOf, shortSpan, sizeOf, troubleText } from './queue-facts.js'
import { choiceIn } from './queue-words.js'
import { settingsFor } from './settings.js'
import { say } from './terminal.js'
import { formatAddress } from '../src/mail/address.js'
import { stateOf } from '../src/queue/chosen.js'

export async function listQueue(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const choice = choiceIn(given)
  await looking(config, (desk) => {
    const all = desk.list(choice)
    if (given.has('json')) return printList(facts(all))
    return given.has('mailq') ? sayMailq(all) : sayAll(all)
  })
}

async function* facts(all: AsyncIterable<WaitingMessage>): AsyncIterable<unknown> {
  for await (const each of all) yield factsOf(each)
}

async function sayAll(all: AsyncIterable<WaitingMessage>): Promise<void> {
  let count = 0
  for await (const each of all) {
    sayOne(each)
    count++
  }
  say(count === 0 ? 'nothing waits' : `${count} ${count === 1 ? 'message' : 'messages'}`)
}

/** A line for the message, and one for each of its recipients. */
export function sayOne(message: WaitingMessage): void {
  const { item } = message
  const age = shortSpan(Date.now() - item.received)
  say(`${item.id}\t${stateOf(message)}\t${age}\t${sizeOf(item)}\t${pathOf(item.from)}`)
  for (const recipient of item.recipients) say(`\t${recipientLine(recipient, item.held)}`)
}

function recipientLine(recipient: QueuedRecipient, held: boolean): string {
  const { to, target, state, attempts, next, trouble } = recipient
  const forwarded = target.kind === 'remote' ? formatAddress(target.address) : formatAddress(to)
  const asked = formatAddress(to)
  const who = forwarded === asked ? asked : `${forwarded} (for ${asked})`
  const when = state === 'waiting' && !held ? `, next in ${shortSpan(next - Date.now())}` : ''
  const why = trouble === null ? '' : `: ${troubleText(trouble)}`
  return `${who}\t${state}, tried ${attempts}x${when}${why}`
}
