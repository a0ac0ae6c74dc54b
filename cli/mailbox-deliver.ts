/** `mailtap mailbox deliver`: a delivery agent for other mail programs: message in, exit code of sysexits(3) out. */
import type { Config } from '../src/config/config.js'
import { formatAddress, parseAddress } from '../src/mail/address.js'
import { fromBuffer, prepend, type Message } from '../src/mail/message.js'
import { Refusal } from '../src/mail/refusal.js'
import { accountOf, named, noSuchUser, type Account } from './account.js'
import type { Given } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { giveToOwnerOf } from './ownership.js'
import { giveMailbox, storeOf } from './mailbox-work.js'
import { isThere } from './make.js'
import { settingsFor } from './settings.js'
import { say } from './terminal.js'

export async function deliver(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const account = accountOf(config, given.argument!)
  const header = traceFor(account, given.last('from') ?? '')
  await requireOpen(account)
  const message = prepend(header, await fromStdin(config))
  if (given.has('dry-run')) return say(`would deliver ${message.size} octets to ${named(account)}`)
  await append(config, account, message)
}

async function append(config: Config, account: Account, message: Message): Promise<void> {
  const kept = await isThere(account.mailbox)
  const made: string[] = []
  const store = storeOf(config, account, (path) => made.push(path))
  try {
    await store.append(account.address, message)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const code = error.temporary ? Exit.tryLater : Exit.unavailable
    throw new Failure(code, `${named(account)}: ${error.message}`, { cause: error })
  }
  await (kept ? giveToOwnerOf(account.domain, made) : giveMailbox(account))
}

/** RFC 5321 section 4.4, RFC 9228. */
function traceFor(account: Account, from: string): Buffer {
  const sender = from === '' || from === '<>' ? null : parseAddress(from)
  if (sender === null && from !== '' && from !== '<>') throw usage(`-f: '${from}' is no address`)
  const path = sender === null ? '' : formatAddress(sender)
  return Buffer.from(`Return-Path: <${path}>\nDelivered-To: ${named(account)}\n`)
}

async function requireOpen(account: Account): Promise<void> {
  const there = (await isThere(account.userFile))
    ? await account.users.read(account.address.local)
    : null
  // The postmaster has a mailbox before he has a login.
  if (there === null && !(await isThere(account.mailbox))) throw noSuchUser(account)
  if (there?.disabled === true)
    throw new Failure(Exit.unavailable, `${named(account)} is disabled and takes no mail`)
}

/** @throws Failure badData when it is empty or larger than the server takes */
async function fromStdin({ limits: { messageSize } }: Config): Promise<Message> {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    octets += chunk.length
    if (octets > messageSize)
      throw new Failure(
        Exit.badData,
        `the message is larger than the limit of ${messageSize} octets`,
      )
    chunks.push(chunk)
  }
  if (octets === 0) throw new Failure(Exit.badData, 'there is no message on standard input')
  const text = Buffer.concat(chunks).toString('latin1')
  return fromBuffer(Buffer.from(text.replace(/\r+\n/g, '\n'), 'latin1'))
}
