/** `mailtap mailbox deliver`: a delivery agent for other mail programs: message in, exit code of sysexits(3) out. */
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../src/config/config.js'
import { formatAddress, parseAddress } from '../src/mail/address.js'
import { fromBuffer, prepend, type Message } from '../src/mail/message.js'
import type { Quota } from '../src/mail/quota.js'
import { mailboxFull, Refusal } from '../src/mail/refusal.js'
import { accountOf, named, noSuchUser, type Account } from './account.js'
import type { Given } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { quotaOf, requireQuota } from './mailbox-quota.js'
import { giveToOwnerOf } from './ownership.js'
import { giveMailbox, storeOf } from './mailbox-work.js'
import { isThere } from './make.js'
import { settingsFor } from './settings.js'
import { say } from './terminal.js'

/** RFC 3463: X.2.2, the mailbox is full. */
const FULL = mailboxFull().status
/** What the store keeps beside the mail of a user with a quota (Maildir++). */
const ACCOUNTS = ['maildirsize', 'quotawarn']

export async function deliver(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const account = accountOf(config, given.argument!)
  const header = traceFor(account, given.last('from') ?? '')
  await requireOpen(account)
  const message = prepend(header, await fromStdin(config))
  if (given.has('dry-run')) return tryOut(config, account, given, message)
  const quota = given.has('force') ? null : await quotaOf(config, account)
  if (quota !== null) await requireNoLink(account)
  await append(config, account, message, quota)
}

/** What is kept of a user with a quota would be written to where it leads. */
async function requireNoLink({ mailbox }: Account): Promise<void> {
  if (!(await isThere(mailbox)) || !(await lstat(mailbox)).isSymbolicLink()) return
  throw new Failure(Exit.tryLater, `${mailbox}: a link, not a mailbox; remove it`)
}

async function tryOut(
  config: Config,
  account: Account,
  given: Given,
  { size }: Message,
): Promise<void> {
  await requireQuota(config, account, given, async () => ({ bytes: size, messages: 1 }))
  say(`would deliver ${size} octets to ${named(account)}`)
}

async function append(
  config: Config,
  account: Account,
  message: Message,
  quota: Quota | null,
): Promise<void> {
  const kept = await isThere(account.mailbox)
  const made = ACCOUNTS.map((name) => join(account.mailbox, name))
  const store = storeOf(config, account, (path) => made.push(path))
  const refusal = await refused(store.append(account.address, message, quota))
  // A mailbox that was full may have been counted anew, and that was written down.
  const whole = !kept && refusal === null
  await (whole ? giveMailbox(account) : giveToOwnerOf(account.domain, made))
  if (refusal !== null) throw failureOf(account, refusal)
}

async function refused(work: Promise<void>): Promise<Refusal | null> {
  try {
    await work
    return null
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

function failureOf(account: Account, refusal: Refusal): Failure {
  const code = refusal.temporary ? Exit.tryLater : Exit.unavailable
  const way = refusal.status === FULL ? '; --force delivers all the same' : ''
  const what = `${named(account)}: ${refusal.message}${way}`
  return new Failure(code, what, { cause: refusal })
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
