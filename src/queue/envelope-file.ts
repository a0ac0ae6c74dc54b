/**
 * The envelope file of a message that waits: one line of JSON with the version of
 * its form. What is written was read first, so that nothing is acknowledged that
 * could not be read again.
 */
import { isUtf8 } from 'node:buffer'
import type { Target } from '../directory/directory.js'
import type { Address } from '../mail/address.js'
import type { Client, DsnEvent, Notice, ReportWish } from '../mail/envelope.js'
import type { LmtpPlace } from '../mail/lmtp-place.js'
import type { Quota } from '../mail/quota.js'
import type { QueuedRecipient, QueueItem, Trouble } from './item.js'
import {
  count,
  flag,
  list,
  matching,
  membersOf,
  Misshapen,
  oneOf,
  orNull,
  type Reader,
  record,
  text,
  time,
} from './shape.js'

/** The form that this file describes. Who changes it counts on, and reads the older ones, too. */
const VERSION = 1
/** Octets of the largest envelope: a thousand recipients take less than one of these 32 MiB. */
export const MAX_ENVELOPE = 32 * 1024 * 1024
/** What an id is made of: it becomes the name of a file. */
export const ID = /^[A-Za-z0-9]{1,64}$/

/** Recipients of one message at most, all that aliases made of them counted. */
const MAX_RECIPIENTS = 100_000
/** Characters of any text; nothing that comes from a client is as long. */
const MAX_TEXT = 64 * 1024
/** Words of a command. */
const MAX_WORDS = 1_000

const words: Reader<string> = text(MAX_TEXT)

const address: Reader<Address> = record<Address>({ local: text(64), domain: text(255) })
const quota: Reader<Quota> = record<Quota>({ bytes: orNull(count), messages: orNull(count) })

const notice: Reader<Notice> = record<Notice>({
  notify: orNull(list(oneOf<DsnEvent>('success', 'failure', 'delay'), 3)),
  originalRecipient: orNull(words),
})

const client: Reader<Client> = record<Client>({
  address: words,
  helo: words,
  secure: flag,
  user: orNull(words),
})

const reports: Reader<ReportWish> = record<ReportWish>({
  content: orNull(oneOf('full', 'headers')),
  envelopeId: orNull(words),
})

const trouble: Reader<Trouble> = record<Trouble>({
  code: count,
  status: words,
  text: words,
  by: orNull(words),
  at: time,
})

const LMTP: { readonly [K in LmtpPlace['kind']]: Reader<Extract<LmtpPlace, { kind: K }>> } = {
  unix: record({ kind: oneOf('unix'), path: words }),
  tcp: record({ kind: oneOf('tcp'), host: words, port: count }),
}
const lmtpPlace = byKind<LmtpPlace>(LMTP)

const TARGETS: { readonly [K in Target['kind']]: Reader<Extract<Target, { kind: K }>> } = {
  mailbox: record({ kind: oneOf('mailbox'), user: address, quota: orNull(quota) }),
  program: record({
    kind: oneOf('program'),
    command: list(words, MAX_WORDS),
    of: address,
    extension: orNull(words),
  }),
  file: record({ kind: oneOf('file'), path: words, of: address }),
  maildir: record({ kind: oneOf('maildir'), path: words, of: address }),
  lmtp: record({ kind: oneOf('lmtp'), endpoint: lmtpPlace, to: address }),
  discard: record({ kind: oneOf('discard'), of: address }),
  remote: record({ kind: oneOf('remote'), address, of: address }),
}

const recipient: Reader<QueuedRecipient> = record<QueuedRecipient>(
  {
    to: address,
    target: byKind<Target>(TARGETS),
    from: address,
    notice: orNull(notice),
    state: oneOf('waiting', 'delivered', 'relayed', 'handed-on', 'failed', 'expired', 'dropped'),
    attempts: count,
    next: time,
    trouble: orNull(trouble),
    delayReported: flag,
    reported: flag,
  },
  ['from'],
)

const item: Reader<QueueItem> = record<QueueItem>({
  id: matching(ID),
  received: time,
  waitedMs: time,
  from: orNull(address),
  client,
  smtputf8: flag,
  eightBit: flag,
  requireTls: flag,
  reports: orNull(reports),
  size: count,
  lines: count,
  held: flag,
  recipients: list(recipient, MAX_RECIPIENTS),
})

const envelope = record<{ version: number; item: QueueItem }>({ version: count, item })

/** @throws Misshapen for an item that could not be read again; nothing of it may be acknowledged */
export function formatEnvelope(value: QueueItem): Buffer {
  const bytes = Buffer.from(`${JSON.stringify({ version: VERSION, item: item(value) })}\n`)
  if (bytes.length <= MAX_ENVELOPE) return bytes
  throw new Misshapen(`the envelope takes more than ${MAX_ENVELOPE} octets`)
}

/**
 * @returns `null` = a later version of mailtap wrote it: nothing is wrong with it, but we do not know it
 * @throws Misshapen for everything that is not a whole envelope
 */
export function parseEnvelope(bytes: Buffer): QueueItem | null {
  if (!isUtf8(bytes)) throw new Misshapen('not UTF-8')
  const value = parseJson(bytes.toString())
  const version = count(membersOf(value)['version'])
  if (version > VERSION) return null
  if (version < VERSION) throw new Misshapen(`there never was a version ${version}`)
  return envelope(value).item
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new Misshapen('not JSON', { cause: error })
  }
}

/** A value whose `kind` says which of several it is. */
function byKind<T extends { readonly kind: string }>(
  readers: Readonly<Record<T['kind'], Reader<T>>>,
): Reader<T> {
  return (value) => {
    const { kind } = membersOf(value)
    if (typeof kind !== 'string' || !Object.hasOwn(readers, kind)) {
      throw new Misshapen('of no kind that there is')
    }
    return readers[kind as T['kind']](value)
  }
}
