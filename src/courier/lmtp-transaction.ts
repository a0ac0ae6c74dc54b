/**
 * One LMTP transaction from the greeting to the last reply (RFC 2033 section
 * 4.2): what the server says of a recipient is the answer for that recipient,
 * and what it has not answered for may come again.
 */
import { type Address, formatAddress, isInternational } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import { misconfigured, Refusal, tryLater } from '../mail/refusal.js'
import { headerIsAscii, isAscii } from '../transport/header-ascii.js'
import { extensionsOf, isGood, refusalFrom, refusalOfAll, type Reply } from '../transport/reply.js'
import type { Talk } from '../transport/talk.js'
import { Content } from '../transport/content.js'
import { BareCr } from '../transport/wire-data.js'

/** Milliseconds until the server must have answered a command. */
const ANSWER_WITHIN = 30_000
/** Milliseconds until it must have answered for a recipient after the final dot: it writes to a disk. */
const DELIVERED_WITHIN = 120_000

/** We have offered the extension ourselves: what our own backend lacks is no fault of the mail. */
const lacks = (extension: string): Refusal =>
  misconfigured(new Error(`the LMTP server does not offer ${extension}`))
const bareCr = (): Refusal => new Refusal(554, '5.6.0', 'the message has a bare CR')

export class LmtpTransaction {
  readonly #hostname: string
  readonly #envelope: Envelope
  readonly #message: Message
  readonly #users: readonly Address[]
  /** By place among the users; `undefined` = not answered for. */
  readonly #answers: (Refusal | null | undefined)[]

  constructor(hostname: string, envelope: Envelope, message: Message, users: readonly Address[]) {
    this.#hostname = hostname
    this.#envelope = envelope
    this.#message = message
    this.#users = users
    this.#answers = users.map(() => undefined)
  }

  /** How many recipients the server has said no to. */
  get refused(): number {
    return this.#answers.filter((answer) => answer !== null && answer !== undefined).length
  }

  /** @param otherwise for those that the server has not answered for */
  answers(otherwise: Refusal): readonly (Refusal | null)[] {
    return this.#answers.map((answer) => (answer === undefined ? otherwise : answer))
  }

  /**
   * Closes the connection in the end.
   * @throws Refusal for all who have no answer, ProtocolError, or the system's error
   */
  async run(talk: Talk): Promise<void> {
    try {
      const mail = await this.#greet(talk)
      requireGood(await talk.ask(mail, ANSWER_WITHIN))
      const accepted = await this.#recipients(talk)
      if (accepted.length > 0) await this.#data(talk, accepted)
      talk.quit()
    } catch (error) {
      // Without the final dot the server has no message.
      talk.close()
      throw error instanceof BareCr ? bareCr() : error
    }
  }

  /** @returns the MAIL command that this server understands */
  async #greet(talk: Talk): Promise<string> {
    requireService(await talk.reply(ANSWER_WITHIN))
    const hello = await talk.ask(`LHLO ${this.#hostname}`, ANSWER_WITHIN)
    requireService(hello)
    return this.#mail(extensionsOf(hello))
  }

  async #mail(offered: ReadonlyMap<string, string>): Promise<string> {
    const { from } = this.#envelope
    const utf8 = await this.#isInternational()
    if (utf8 && !offered.has('SMTPUTF8')) throw lacks('SMTPUTF8')
    const eightBit = await this.#isEightBit(offered.has('8BITMIME'))
    if (eightBit && !offered.has('8BITMIME')) throw lacks('8BITMIME')
    const { size, lines } = this.#message
    return [
      `MAIL FROM:<${from === null ? '' : formatAddress(from)}>`,
      ...(offered.has('SIZE') ? [`SIZE=${size + lines}`] : []),
      ...(eightBit ? ['BODY=8BITMIME'] : []),
      ...(utf8 ? ['SMTPUTF8'] : []),
    ].join(' ')
  }

  /** Whoever asked for SMTPUTF8 and uses none of it need not be refused. */
  async #isInternational(): Promise<boolean> {
    const { from, smtputf8 } = this.#envelope
    if ([...this.#users, ...(from === null ? [] : [from])].some(isInternational)) return true
    return smtputf8 && !(await headerIsAscii(this.#message))
  }

  /** Whoever said 8BITMIME and sends ASCII can be served without it. */
  async #isEightBit(offered: boolean): Promise<boolean> {
    return this.#envelope.eightBit && (offered || !(await isAscii(this.#message)))
  }

  /** @returns which of the users the server takes mail for */
  async #recipients(talk: Talk): Promise<number[]> {
    const accepted: number[] = []
    for (const [at, user] of this.#users.entries()) {
      const reply = await talk.ask(`RCPT TO:<${formatAddress(user)}>`, ANSWER_WITHIN)
      if (isGood(reply)) accepted.push(at)
      else this.#answers[at] = refusalFrom(reply)
    }
    return accepted
  }

  async #data(talk: Talk, accepted: readonly number[]): Promise<void> {
    const go = await talk.ask('DATA', ANSWER_WITHIN)
    if (go.code !== 354) throw refusalOfAll(go)
    await new Content(this.#message).send(talk, accepted.length)
    for (const at of accepted) {
      const reply = await talk.reply(DELIVERED_WITHIN)
      this.#answers[at] = isGood(reply) ? null : refusalFrom(reply)
    }
  }
}

function requireGood(reply: Reply): void {
  if (!isGood(reply)) throw refusalOfAll(reply)
}

/** A server that takes nothing from us at all is a fault of ours, or passes. */
function requireService(reply: Reply): void {
  if (!isGood(reply)) throw tryLater(new Error(`${reply.code} ${reply.lines.join(' ')}`))
}
