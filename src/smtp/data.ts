/**
 * Receives the body of DATA and hands the message over. Exactly one reply per
 * body, whatever is in it: what is refused is read to its end by the same
 * parser, so client and server never disagree about what comes next.
 */
import { constants } from 'node:os'
import { type Fields, reason } from '../log/log.js'
import { formatAddress, identity } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import { countLines } from '../mail/message.js'
import { messageTooBig, noSpace, Refusal, tryLater } from '../mail/refusal.js'
import type { Outcome } from '../mail/outcome.js'
import type { Answer, RawInput, RawStep } from '../net/session.js'
import { BodyParser } from './body.js'
import { type Context, sender } from './context.js'
import { Intake } from './intake.js'
import { refusal, reply, type Reply } from './reply.js'
import { received } from './trace.js'
import { verdict } from './verdict.js'

/** A client may think for so long at any point of a body (RFC 5321 section 4.5.3.2.5) … */
const PATIENCE_MS = 300_000
/** … and gets one more millisecond per octet: slower than 1,000 octets a second is not sending, it is holding. */
const MS_PER_OCTET = 1
/** … but not for ever. */
const MAX_PATIENCE_MS = 7_200_000
/** A delivery that takes longer is given up. */
const DELIVERY_MS = 60_000
/** A refused body is read up to this many times the size limit, then the connection ends. */
const MAX_DISCARD_FACTOR = 4
const SPACE = 32
const TAB = 9

export class Data implements RawInput {
  readonly #context: Context
  readonly #envelope: Envelope
  readonly #named: readonly string[]
  readonly #parser = new BodyParser()
  readonly #intake: Intake
  #done: (reply: Reply) => Answer = () => {
    throw new Error('nobody waits for this body')
  }
  #received = 0
  #refused: Refusal | null = null

  /** @param named identities of the recipients as they were named, each owed a reply where that is the rule */
  constructor(context: Context, envelope: Envelope, named: readonly string[]) {
    this.#context = context
    this.#envelope = envelope
    this.#named = named
    this.#intake = new Intake(context.options.temporaryDirectory)
  }

  /** @param done takes the reply that ends the body */
  whenDone(done: (reply: Reply) => Answer): void {
    this.#done = done
  }

  patience(octets: number): number {
    return Math.min(PATIENCE_MS + octets * MS_PER_OCTET, MAX_PATIENCE_MS)
  }

  take(chunk: Buffer): RawStep | Promise<RawStep> {
    const { taken, content, lines, done } = this.#parser.feed(
      chunk,
      this.#intake.room(chunk.length),
    )
    this.#received += taken
    const stored = this.#store(content, lines)
    if (stored === undefined && !done) return { taken, answer: this.#enough() }
    return this.#goOn(stored, taken, done)
  }

  /** The connection ended before the body did. */
  async discard(): Promise<void> {
    await this.#intake.discard()
  }

  async #goOn(stored: Promise<void> | undefined, taken: number, done: boolean): Promise<RawStep> {
    await stored
    return { taken, answer: done ? await this.#finish() : this.#enough() }
  }

  /** Keeps the content unless the message is refused already. */
  #store(content: Buffer, lines: number): Promise<void> | undefined {
    if (this.#refused !== null || this.#parser.fault !== null) return undefined
    const maxSize = this.#context.options.maxSize()
    if (this.#intake.wireSize + content.length + lines > maxSize) {
      return this.#refuse(messageTooBig(maxSize))
    }
    const stored = this.#intake.add(content, lines)
    return stored?.catch((error: unknown) => this.#refuse(asRefusal(error)))
  }

  async #refuse(refused: Refusal): Promise<void> {
    this.#refused ??= refused
    await this.#intake.discard()
  }

  /** Cuts off a client that goes on and on with what was refused long ago. */
  #enough(): Answer | null {
    if (this.#received <= this.#context.options.maxSize() * MAX_DISCARD_FACTOR) return null
    const refused = this.#refused ?? messageTooBig(this.#context.options.maxSize())
    this.#intake.discard().catch((error: unknown) => this.#lost(error))
    return this.#done({ ...this.#no(refused), then: 'close' })
  }

  /** A temporary file that cannot be closed holds up nobody. */
  #lost(error: unknown): void {
    this.#context.options.log.error('smtp temporary file', { reason: reason(error) })
  }

  async #finish(): Promise<Answer> {
    const { fault } = this.#parser
    let result: Reply
    try {
      if (fault !== null) result = this.#say(malformed(fault), 'malformed_message', fault)
      else if (this.#refused !== null) result = this.#no(this.#refused)
      else result = await this.#timed()
    } finally {
      await this.#intake.discard()
    }
    return this.#done(result)
  }

  #no(refused: Refusal): Reply {
    return this.#say(refusal(refused), refused.why, reason(refused))
  }

  /** Tells the log why a body was not taken. @param why in a word */
  #say(result: Reply, why: string, cause: string): Reply {
    const { log } = this.#context.options
    const facts = { ...this.#facts(), octets: this.#received, why, reason: cause }
    // What is not the client's fault somebody here must know of.
    if (result.fault || result.then !== undefined) log.info('smtp refused', facts)
    else log.error('smtp not accepted', facts)
    return this.#forAll(result)
  }

  /** The same reply for every recipient who is owed one (RFC 2033 section 4.2). */
  #forAll(result: Reply): Reply {
    if (!this.#context.options.role.replyPerRecipient) return result
    return { ...result, bytes: Buffer.concat(this.#named.map(() => result.bytes)) }
  }

  async #timed(): Promise<Reply> {
    const begun = performance.now()
    const result = await this.#deliver()
    this.#context.options.metrics?.acceptSeconds.observe((performance.now() - begun) / 1_000)
    return result
  }

  async #deliver(): Promise<Reply> {
    const { log } = this.#context.options
    try {
      const header = apart(this.#header(), this.#intake.firstOctet)
      const message = await this.#intake.finish(header, countLines(header))
      const outcomes = await inTime(sender(this.#context).send(this.#envelope, message))
      const refused = this.#context.options.role.replyPerRecipient
        ? null
        : verdict(outcomes, this.#envelope.to.length)
      if (refused !== null) throw refused
      if (outcomes.some((outcome) => outcome.refusal === null)) {
        log.info('smtp accepted', { ...this.#facts(), size: message.size + message.lines })
      }
      return this.#accepted(outcomes)
    } catch (error) {
      const refused = asRefusal(error)
      return this.#say(refusal(refused), refused.why, reason(error))
    }
  }

  #accepted(outcomes: readonly Outcome[]): Reply {
    const ok = reply(250, '2.0.0', `Ok ${this.#envelope.id}`)
    if (!this.#context.options.role.replyPerRecipient) return { bytes: ok, taken: true }
    const refused = new Map(outcomes.map(({ to, refusal: no }) => [identity(to), no]))
    const replies = this.#named.map((id) => {
      const no = refused.get(id)
      if (no === null) return ok
      if (no === undefined) return refusal(tryLater()).bytes
      this.#say(refusal(no), no.why, `${id}: ${reason(no)}`)
      return refusal(no).bytes
    })
    return { bytes: Buffer.concat(replies), ...(replies.includes(ok) ? { taken: true } : {}) }
  }

  #header(): Buffer {
    const { helo, esmtp, tls, peer, options } = this.#context
    const { id, smtputf8, to } = this.#envelope
    const { hostname } = options
    const lmtp = options.role.protocol === 'LMTP'
    const authenticated = this.#envelope.client.user !== null
    const facts = { helo, esmtp, lmtp, authenticated, tls, hostname, id, smtputf8, recipients: to }
    return received({ ...facts, peerAddress: peer.address })
  }

  /** What tells a person whose message this was. */
  #facts(): Fields {
    const { id, from, to } = this.#envelope
    const { peer, helo } = this.#context
    const first = to[0] === undefined ? '' : formatAddress(to[0])
    const source = from === null ? '<>' : formatAddress(from)
    return { id, ip: peer.address, helo, from: source, to: first, nrcpt: to.length }
  }
}

/**
 * A line that begins with a blank would belong to the header line above it (RFC 5322 section
 * 2.2.3): ours would no longer be what we wrote. A message cannot begin with such a header, so
 * this one has none, and the empty line before its body was forgotten.
 */
function apart(header: Buffer, first: number | undefined): Buffer {
  return first === SPACE || first === TAB ? Buffer.concat([header, Buffer.from('\n')]) : header
}

/**
 * RFC 1047: the longer a client waits for the reply to its dot, the more often
 * it gives up and sends a second copy. Whatever hangs behind us is "later".
 */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tryLater(new Error('delivery takes too long'))), DELIVERY_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** 521 ends the connection: a client that sends such bytes may be smuggling a second message. */
function malformed(fault: 'bare LF' | 'bare CR' | 'NUL'): Reply {
  if (fault === 'NUL') return { bytes: reply(550, '5.6.0', 'NUL in the message'), fault: true }
  const text = `${fault} in the message; lines must end with CR LF`
  return { bytes: reply(521, '5.5.2', text), then: 'close' }
}

/** A fault of ours is "later"; a full disk says so. */
function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const code = error instanceof Error && 'code' in error ? error.code : ''
  // Node has no name for a quota that is used up.
  const errno = error instanceof Error && 'errno' in error ? error.errno : 0
  const full = code === 'ENOSPC' || code === 'EDQUOT' || errno === -constants.errno.EDQUOT
  return full ? noSpace(error) : tryLater(error)
}
