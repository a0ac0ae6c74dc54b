/** What another server said or failed to say, as an answer for whoever sent the mail (RFC 5321 section 4.2, RFC 3463). */
import { Refusal, tryLater } from '../mail/refusal.js'
import { ConnectionLost, NoAnswer, ProtocolError, saidBy } from '../transport/faults.js'
import { isGood, refusalFrom, type Reply } from '../transport/reply.js'

/** RFC 5321 section 3.8: the server ends the conversation. */
const CLOSING = 421
/** RFC 4954 section 6, RFC 3207 section 4: it wants a login or TLS that we were not told to use. */
const WANTS_LOGIN: ReadonlySet<number> = new Set([530, 534, 535, 538])
const SYSTEM_ERROR = /^[A-Z][A-Z0-9_]{1,40}$/
/** There was no connection to begin with. */
const UNREACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** The server has said 421: what it has not answered yet it will not answer any more. */
export class ServerCloses extends Error {
  override readonly name = 'ServerCloses'
  readonly reply: Reply

  constructor(reply: Reply) {
    super(saidBy(reply))
    this.reply = reply
  }
}

/**
 * True if the server said yes, false if it said no.
 * @throws ServerCloses, ProtocolError when it asks for more where there is no more
 */
export function isYes(reply: Reply): boolean {
  if (reply.code === CLOSING) throw new ServerCloses(reply)
  if (isGood(reply)) return true
  if (reply.code < 400) throw new ProtocolError(`an unexpected ${saidBy(reply)}`)
  return false
}

/** A "no" to a command of a transaction. Mail does not bounce for a login that we lack. */
export function refusalOf(reply: Reply): Refusal {
  const refusal = refusalFrom(reply)
  return WANTS_LOGIN.has(reply.code) ? temporarily(refusal) : refusal
}

/** The same, for now. */
export function temporarily(refusal: Refusal): Refusal {
  if (refusal.temporary) return refusal
  return new Refusal(451, `4${refusal.status.slice(1)}`, refusal.message, { cause: refusal })
}

/**
 * What an error means for mail that was not answered for: always "later".
 * @param doing what was under way, for people: `sending RCPT`
 */
export function laterFor(error: unknown, doing: string): Refusal {
  const { status, text } = described(error)
  if (error instanceof ServerCloses) return temporarily(refusalFrom(error.reply))
  if (error instanceof Refusal) return temporarily(error)
  if (status === null) return tryLater(error)
  return new Refusal(451, status, `${text} (${doing})`, { cause: error })
}

function described(error: unknown): { status: string | null; text: string } {
  if (error instanceof NoAnswer || error instanceof ConnectionLost)
    return { status: '4.4.2', text: error.message }
  if (error instanceof ProtocolError) return { status: '4.5.0', text: error.message }
  const { code } = (error ?? {}) as { code?: unknown }
  // The words of a system may name paths.
  if (typeof code !== 'string' || !SYSTEM_ERROR.test(code)) return { status: null, text: '' }
  // RFC 3463 section 3.5: no answer from the host, or a bad connection.
  return { status: UNREACHED.has(code) ? '4.4.1' : '4.4.2', text: code }
}
