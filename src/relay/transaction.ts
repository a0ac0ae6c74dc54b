/**
 * One message to one server (RFC 5321 section 3.3, RFC 2033 section 4.2): commands in groups where
 * the server takes them so (RFC 2920), an outcome for each recipient, and "later" for whom the
 * server did not answer.
 */
import { tryLater, Refusal } from '../mail/refusal.js'
import type { Message } from '../mail/message.js'
import { Content } from '../transport/content.js'
import { ProtocolError, saidBy } from '../transport/faults.js'
import { refusalFrom, type Reply } from '../transport/reply.js'
import type { Talk } from '../transport/talk.js'
import { BareCr, LONE_DOT, UnreadableContent } from '../transport/wire-data.js'
import { isYes, laterFor, refusalOf, ServerCloses } from './answers.js'
import { type EnvelopeCommands, envelopeCommands } from './envelope-commands.js'
import { saidByUs } from './outcomes.js'
import type { Patience } from './patience.js'
import type { RelayOutcome, RelayWork } from './relay.js'

/** Commands that wait for their answers together: their replies fit into the buffers of any system. */
const MAX_PIPELINED = 100
const GO_ON = 354

/** The server's side of it. */
export interface Counterpart {
  readonly talk: Talk
  readonly protocol: 'smtp' | 'lmtp'
  /** `name [address]`. */
  readonly server: string
  readonly extensions: ReadonlyMap<string, string>
  readonly patience: Patience
}

/** `ready` for MAIL, after `reset` so, or `closed`. */
export type Aftermath = 'ready' | 'reset' | 'closed'

interface Command {
  readonly line: string
  /** Place of the recipient; absent for MAIL and DATA. */
  readonly at?: number
}

export class Transaction {
  readonly #with: Counterpart
  readonly #work: RelayWork
  readonly #message: Message
  /** By place among the recipients; `undefined` = not answered for. */
  readonly #outcomes: (RelayOutcome | undefined)[]
  readonly #accepted: number[] = []
  #doing = 'sending MAIL'
  #mail: 'unanswered' | 'taken' | 'refused' = 'unanswered'
  #aftermath: Aftermath = 'ready'
  /** The content is on its way. */
  #begun = false
  /** What ended it too early. */
  #fault: unknown = null
  #nothingSaid = false

  constructor(counterpart: Counterpart, work: RelayWork, message: Message) {
    this.#with = counterpart
    this.#work = work
    this.#message = message
    this.#outcomes = work.recipients.map(() => undefined)
  }

  get aftermath(): Aftermath {
    return this.#aftermath
  }

  /** Why it ended too early, for the log; `null` = it did not. */
  get fault(): unknown {
    return this.#fault
  }

  /** The connection was lost before the server said anything to MAIL: it had gone while nobody looked. */
  get unheard(): boolean {
    return this.#fault !== null && this.#mail === 'unanswered' && !isOurs(this.#fault)
  }

  /** The server failed before it saw the content, and said nothing about a recipient: another one may be asked. */
  get nothingSaid(): boolean {
    return this.#nothingSaid
  }

  /** What the failure means for those whom the server did not answer for. */
  get why(): Refusal {
    return laterFor(this.#fault, this.#doing)
  }

  /** One outcome per recipient, in order. Never throws. */
  async run(): Promise<readonly RelayOutcome[]> {
    try {
      const { content, commands } = await this.#prepared()
      if (commands instanceof Refusal) this.#outcomes.fill(saidByUs(commands))
      else await this.#send(commands, content)
    } catch (error) {
      this.#fail(error)
    }
    return this.#outcomes.map((outcome) => outcome ?? saidByUs(tryLater()))
  }

  /** What cannot be sent is found out before anything is sent. @throws BareCr, UnreadableContent */
  async #prepared(): Promise<{ content: Content; commands: EnvelopeCommands | Refusal }> {
    try {
      const content = new Content(this.#message)
      const { extensions } = this.#with
      return { content, commands: await envelopeCommands(this.#work, this.#message, extensions) }
    } catch (cause) {
      if (cause instanceof BareCr) throw cause
      throw new UnreadableContent('the message cannot be read', { cause })
    }
  }

  async #send(commands: EnvelopeCommands, content: Content): Promise<void> {
    const named = this.#named(commands.recipients)
    if (named.length === 0) return
    this.#aftermath = 'reset'
    const size = this.#with.extensions.has('PIPELINING') ? MAX_PIPELINED : 1
    const all = [{ line: commands.mail }, ...named, { line: 'DATA' }]
    let go = false
    for (let from = 0; from < all.length; from += size) {
      const group = all.slice(from, from + size)
      // Nothing more is asked of a server that wants none of it.
      if (this.#isVain(group)) return
      this.#with.talk.send(...group.map(({ line }) => line))
      for (const command of group) go = await this.#answer(command)
    }
    if (go) await this.#data(content)
  }

  /** Recipients that can be said to this server; the others have their outcome. */
  #named(commands: EnvelopeCommands['recipients']): Command[] {
    return commands.flatMap((line, at) => {
      if (typeof line === 'string') return [{ line, at }]
      this.#outcomes[at] = saidByUs(line)
      return []
    })
  }

  #isVain([first]: readonly Command[]): boolean {
    if (this.#mail === 'refused') return true
    return first?.line === 'DATA' && this.#accepted.length === 0
  }

  /** @returns true = the content is wanted */
  async #answer({ line, at }: Command): Promise<boolean> {
    const { talk, patience } = this.#with
    if (at !== undefined) {
      this.#doing = 'sending RCPT'
      this.#heardOfRecipient(at, await talk.reply(patience.recipient))
    } else if (line === 'DATA') {
      this.#doing = 'sending DATA'
      return this.#heardOfData(await talk.reply(patience.data))
    } else this.#heardOfMail(await talk.reply(patience.mail))
    return false
  }

  #heardOfMail(reply: Reply): void {
    const yes = isYes(reply)
    this.#mail = yes ? 'taken' : 'refused'
    if (yes) return
    this.#outcomes.forEach((outcome, at) => (this.#outcomes[at] = outcome ?? this.#said(reply)))
  }

  #heardOfRecipient(at: number, reply: Reply): void {
    const yes = isYes(reply)
    if (this.#mail === 'refused') return
    if (yes) this.#accepted.push(at)
    else this.#outcomes[at] = this.#said(this.#tooMany(reply))
  }

  /** RFC 5321 section 4.5.3.1.10: 552 was said for "too many recipients" where 452 is right. */
  #tooMany(reply: Reply): Reply {
    return reply.code === 552 && this.#accepted.length > 0 ? { ...reply, code: 452 } : reply
  }

  #heardOfData(reply: Reply): boolean {
    if (reply.code === GO_ON) return true
    if (isYes(reply)) throw new ProtocolError(`an unexpected ${saidBy(reply)}`)
    for (const at of this.#accepted) this.#outcomes[at] ??= this.#said(reply)
    return false
  }

  async #data(content: Content): Promise<void> {
    const { talk, patience, protocol } = this.#with
    this.#doing = 'sending the message'
    // RFC 2920 section 3.1: DATA came along with recipients of whom none was taken.
    if (this.#accepted.length === 0) return this.#empty()
    const replies = protocol === 'lmtp' ? this.#accepted.length : 1
    this.#begun = true
    await content.send(talk, replies, patience.piece)
    this.#doing = 'waiting after the end of the message'
    for (let at = 0; at < replies; at++) {
      const outcome = this.#said(await talk.reply(patience.delivered))
      const whose = protocol === 'lmtp' ? [this.#accepted[at]!] : this.#accepted
      for (const recipient of whose) this.#outcomes[recipient] = outcome
    }
    this.#aftermath = 'ready'
  }

  async #empty(): Promise<void> {
    const { talk, patience } = this.#with
    talk.finish(LONE_DOT, 1)
    // RFC 2033 section 4.2: LMTP answers for each recipient, of whom there is none.
    if (this.#with.protocol === 'lmtp') throw new ProtocolError('DATA without a recipient')
    isYes(await talk.reply(patience.delivered))
  }

  /** @throws ServerCloses, ProtocolError */
  #said(reply: Reply): RelayOutcome {
    const refusal = isYes(reply) ? null : refusalOf(reply)
    const reportsItself = this.#with.extensions.has('DSN')
    return { refusal, by: this.#with.server, said: saidBy(reply), reportsItself }
  }

  /** Without the final dot the server has no message; after it nobody knows (RFC 1047), and it is sent again. */
  #fail(error: unknown): void {
    this.#fault = error
    const silent = this.#outcomes.every((known) => known === undefined || known.by === null)
    this.#nothingSaid = silent && !this.#begun && !isOurs(error)
    if (this.#aftermath !== 'ready' || !isOurs(error)) {
      this.#aftermath = 'closed'
      this.#with.talk.close()
    }
    const outcome = this.#outcomeOf(error)
    this.#outcomes.forEach((known, at) => (this.#outcomes[at] = known ?? outcome))
  }

  #outcomeOf(error: unknown): RelayOutcome {
    if (error instanceof BareCr)
      return saidByUs(
        new Refusal(554, '5.6.0', 'the message has a bare CR, which no server may get'),
      )
    if (error instanceof ServerCloses) {
      const { reply } = error
      const said = { by: this.#with.server, said: saidBy(reply) }
      return { ...saidByUs(refusalFrom(reply)), ...said }
    }
    return saidByUs(isOurs(error) ? tryLater(error) : this.why)
  }
}

/** No fault of the server. */
const isOurs = (error: unknown): boolean =>
  error instanceof BareCr || error instanceof UnreadableContent
