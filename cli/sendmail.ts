/**
 * `mailtap sendmail`, and mailtap called as `sendmail`, `mailq` or `newaliases`: the door that
 * programs of this machine have known for decades. A message goes into the server's maildrop,
 * whether a server runs or not; 0 is said once it is on the disk.
 */
import { fromBuffer } from '../src/mail/message.js'
import { Given, type GivenOption } from './command.js'
import { carryOut } from './queue-act.js'
import { listQueue } from './queue-list.js'
import { checkAllAliases } from './sendmail-aliases.js'
import { drop } from './sendmail-drop.js'
import { envelopeOf, operandsOf, senderOf } from './sendmail-envelope.js'
import { composed, recipientsIn, withFrom } from './sendmail-header.js'
import { converse } from './sendmail-session.js'
import { readSite, sendmailConfig } from './sendmail-site.js'
import { readInput, tooLarge } from './sendmail-text.js'
import { verify } from './sendmail-verify.js'
import { type Mode, readSendmailWords, type SendmailWords } from './sendmail-words.js'

/** Names under which it is called, and what each does if the options say nothing else. */
export const SENDMAIL_NAMES: Readonly<Record<string, Mode>> = {
  sendmail: 'send',
  mailq: 'queue',
  newaliases: 'aliases',
}

/**
 * @param name one of the above
 * @param config as `mailtap -c FILE sendmail` names it, `null` = not
 * @throws Failure
 */
export async function sendmail(
  name: string,
  given: readonly string[],
  config: string | null = null,
): Promise<void> {
  const words = readSendmailWords(given)
  const mode = words.mode === 'send' ? (SENDMAIL_NAMES[name] ?? 'send') : words.mode
  await MODES[mode](words, await sendmailConfig(words.config ?? config))
}

const MODES: Readonly<Record<Mode, (words: SendmailWords, file: string) => Promise<void>>> = {
  send,
  session: async (_, file) => converse(file),
  verify: async (words, file) => verify(file, operandsOf(words)),
  queue: async (_, file) => listQueue(asked(null, file, { name: 'mailq', value: true })),
  aliases: async (_, file) => checkAllAliases(file),
  flush,
}

async function send(words: SendmailWords, file: string): Promise<void> {
  const site = await readSite(file)
  // What is wrong with the words is told before the message is waited for.
  const operands = operandsOf(words)
  const from = senderOf(words, site)
  const limits = { dotEnds: words.dotEnds, limit: site.maxSize }
  const read = await composed(await readInput(process.stdin as AsyncIterable<Buffer>, limits))
  const listed = words.fromHeader ? [...operands, ...recipientsIn(read.fields)] : operands
  const author = from ?? { local: 'MAILER-DAEMON', domain: site.origin }
  const content = withFrom(read, author, words.fullName ?? process.env['NAME'] ?? null)
  const message = fromBuffer(content)
  if (message.size + message.lines > site.maxSize) throw tooLarge(site.maxSize)
  await drop(site, envelopeOf(words, site, listed, content), message)
}

async function flush({ chosen }: SendmailWords, file: string): Promise<void> {
  if (chosen === null) return carryOut('flush', asked(null, file, { name: 'all', value: true }))
  const { by, what } = chosen
  if (by === 'id') return carryOut('flush', asked(what, file))
  const name = what.includes('@') ? 'to' : 'domain'
  return carryOut('flush', asked(null, file, { name, value: what }))
}

function asked(argument: string | null, file: string, ...options: GivenOption[]): Given {
  return new Given(argument, [{ name: 'config', value: file }, ...options])
}
