/** What holds for mail to the own domains, whoever sends it: who is there, who has room, what the filters say. */
import type { Directory, RemoteTarget, Target } from '../directory/directory.js'
import { type Filter, PASS, type Verdict } from '../filter/filter.js'
import { type Address, formatAddress } from '../mail/address.js'
import type { Envelope, Opening } from '../mail/envelope.js'
import { type Message, prepend } from '../mail/message.js'
import { misconfigured, noSuchUser, type Refusal, tlsRequired } from '../mail/refusal.js'
import type { Queue } from '../queue/queue.js'
import type { Store } from '../store/store.js'

/** What senders work with. */
export interface SenderParts {
  readonly directory: Directory
  readonly store: Store
  readonly queue: Queue
  /** What looks at mail before it is taken. */
  readonly filter: Filter
  /** True if mail for other domains can leave from here; without it none can. */
  readonly relays?: () => boolean
}

/**
 * A directory that cannot tell is heard as it is: that is "later", never "no such user".
 * @throws Refusal
 */
export async function checkRecipient(
  { directory, store, filter, relays }: SenderParts,
  opening: Opening,
  to: Address,
): Promise<void> {
  const targets = await directory.resolve(to)
  if (targets.length === 0) throw noSuchUser()
  for (const target of targets) {
    if (target.kind === 'remote' && !relays?.()) throw forwardMissing(to, target)
    if (opening.requireTls && leavesInClear(target)) throw tlsRequired()
    if (target.kind !== 'mailbox' || target.quota === null) continue
    // One full mailbox of several: the message as a whole would have to come again.
    await store.checkQuota(target.user, target.quota, opening.declaredSize)
  }
  await filter.recipient?.(opening, to)
}

/**
 * The message with what the filters add. The lines go in front: a header that is signed already
 * stays as it is.
 * @throws Refusal
 */
export async function filtered(
  filter: Filter,
  envelope: Envelope,
  message: Message,
): Promise<Message> {
  const verdict = await filter.message?.(envelope, message)
  return verdict === undefined || verdict === PASS ? message : marked(message, verdict)
}

/**
 * An X-Spam-Flag of the sender's own stays where it is: a signature may cover it, and nothing here
 * goes by it. It tells only as much as its sender; the flag of this server, if there is one, is
 * above the Received line of this server.
 */
function marked(message: Message, { headers, junk }: Verdict): Message {
  const lines = junk ? [...headers, 'X-Spam-Flag: YES'] : headers
  if (lines.length === 0) return message
  return prepend(Buffer.from(lines.map((line) => `${line}\n`).join('')), message)
}

/** LMTP over TCP has no TLS here; on this machine nobody can listen in (RFC 8689 section 4.2). */
function leavesInClear(target: Target): boolean {
  if (target.kind !== 'lmtp' || target.endpoint.kind === 'unix') return false
  return !['127.0.0.1', '::1', 'localhost'].includes(target.endpoint.host)
}

/** Without a relay its mail waits at the client until there is one. The cause is for the log. */
function forwardMissing(to: Address, { address, of }: RemoteTarget): Refusal {
  const [from, by, where] = [to, of, address].map(formatAddress)
  const what = `${from}: ${by} forwards to ${where}, which is elsewhere, and there is no [relay] in the config`
  return misconfigured(new Error(what))
}
