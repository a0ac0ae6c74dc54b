/** Between EHLO and the body: MAIL, RCPT, DATA (RFC 5321 sections 3.3 and 4.1.1). */
import { type Address, identity } from '../mail/address.js'
import type { Client, Envelope, Notice, Opening } from '../mail/envelope.js'
import { messageTooBig } from '../mail/refusal.js'
import { type Path, type PathError, parsePath } from './command.js'
import { type Auth, userOf } from './auth.js'
import { type Context, type Draft, sender } from './context.js'
import { Data } from './data.js'
import { anytime, without } from './greeting.js'
import { isReply, type MailParameters, readMailParameters } from './parameters.js'
import { readRecipientParameters } from './recipient-parameters.js'
import * as say from './reply.js'
import type { Reply } from './reply.js'
import type { State, Verb } from './state.js'
import { newId } from './trace.js'

const MAIL_BEGUN: Reply = { bytes: say.SENDER_OK, next: 'transaction' }
const NO_MAIL = say.fault(503, '5.5.1', 'Send MAIL first')
const NESTED = say.fault(503, '5.5.1', 'A transaction is open already; RSET ends it')
/** RFC 2033 section 4.2. */
const NO_LMTP_RECIPIENTS = say.fault(503, '5.5.1', 'No valid recipients; send RCPT first')
const LOGIN_FIRST = say.fault(530, '5.7.0', 'Log in first, with AUTH')
const TLS_FIRST = say.fault(530, '5.7.0', 'Say STARTTLS first, then log in with AUTH')
const NO_RECIPIENTS = say.fault(554, '5.5.1', 'No valid recipients; send RCPT first')
/** No fault of the client's: RFC 5321 section 4.5.3.1.10 has it come again with the rest. */
const TOO_MANY: Reply = {
  bytes: say.reply(452, '4.5.3', 'Too many recipients; send the rest in another transaction'),
  limit: 'recipients_per_message',
}
/** RFC 9422 section 4: the limit stands in the answer to EHLO. */
const COME_AGAIN: Reply = {
  bytes: say.reply(421, '4.7.0', 'Enough messages for one connection; open another'),
  then: 'close',
  limit: 'messages_per_connection',
}
const TOO_MUCH_A_MINUTE: Reply = {
  bytes: say.reply(450, '4.7.1', 'Too many messages from you; try again in a minute'),
  limit: 'messages_per_minute',
}
const TOO_MANY_A_MINUTE: Reply = {
  bytes: say.reply(450, '4.7.1', 'Too many recipients from you; try again in a minute'),
  limit: 'recipients_per_minute',
}
/** With none left in the middle of a delivery nothing would be lost, but the client would have sent it in vain. */
const NO_FILES: Reply = {
  bytes: say.reply(452, '4.3.1', 'Too busy for another message now; try again later'),
  limit: 'descriptors',
}
const FROM_SYNTAX = say.fault(501, '5.5.4', 'Say MAIL FROM:<address>')
const TO_SYNTAX = say.fault(501, '5.5.4', 'Say RCPT TO:<address>')
const BAD_FROM = say.fault(501, '5.1.7', 'Bad sender address syntax')
const BAD_TO = say.fault(501, '5.1.3', 'Bad recipient address syntax')
const BAD_PARAMETER = say.fault(501, '5.5.4', 'Bad parameter syntax')
const HELO_PARAMETER = say.fault(555, '5.5.4', 'Parameters need EHLO')
/** RFC 6531 section 3.5. */
const NEEDS_SMTPUTF8 = say.fault(553, '5.6.7', 'This address needs SMTPUTF8 in MAIL')

/** RFC 4954 section 4: between transactions only. */
function authVerb(auth: Auth): [string, Verb] {
  return ['AUTH', (text) => auth.begin(text)]
}

/** Waits for MAIL. */
export class Ready implements State {
  readonly notNow = NO_MAIL
  readonly verbs: ReadonlyMap<string, Verb>
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
    this.verbs = new Map<string, Verb>([
      ...anytime(context),
      ['MAIL', (text) => this.#mail(text)],
      ...(context.auth === null ? [] : [authVerb(context.auth)]),
      ['RSET', (text) => without(text, say.OK)],
    ])
  }

  async #mail(text: string): Promise<Reply> {
    const { options, peer } = this.#context
    if (options.role.authenticates && userOf(this.#context) === null) {
      return peer.secure || !options.tlsAvailable() ? LOGIN_FIRST : TLS_FIRST
    }
    const path = afterWord(text, /^FROM:/i, FROM_SYNTAX, BAD_FROM)
    if ('bytes' in path) return path
    // The null path is a sender, the bare postmaster is none.
    if (path.barePostmaster) return BAD_FROM
    const parameters = readMailParameters(path.parameters, {
      auth: options.role.authenticates,
      requireTls: peer.secure,
    })
    if (isReply(parameters)) return parameters
    return this.#refused(path, parameters) ?? this.#begin(path.address, parameters)
  }

  #refused(path: Path, { size, smtputf8 }: MailParameters): Reply | null {
    const { options, esmtp } = this.#context
    if (!esmtp && path.parameters.size > 0) return HELO_PARAMETER
    if (!smtputf8 && !path.ascii) return NEEDS_SMTPUTF8
    const maxSize = options.maxSize()
    if (size !== null && size > maxSize) throw messageTooBig(maxSize)
    return null
  }

  async #begin(from: Address | null, parameters: MailParameters): Promise<Reply> {
    const { options, peer } = this.#context
    if (++this.#context.messages > options.limits().messagesPerConnection) return COME_AGAIN
    const paced = options.paced('message', peer.address)
    if (paced !== true && !(await paced)) return TOO_MUCH_A_MINUTE
    const opening = this.#opening(from, parameters)
    await sender(this.#context).checkFrom(opening)
    if (opening.declaredSize !== null) await sender(this.#context).checkRoom(opening)
    this.#context.draft = { opening, to: new Map(), named: [], notices: new Map() }
    return MAIL_BEGUN
  }

  #opening(from: Address | null, parameters: MailParameters): Opening {
    const { size: declaredSize, reports, ...others } = parameters
    return {
      id: newId(),
      from,
      client: clientOf(this.#context),
      declaredSize,
      ...others,
      ...(reports === null ? {} : { reports }),
      ...(this.#context.options.role.replyPerRecipient ? { answersEach: true } : {}),
    }
  }
}

/** Has a sender; gathers recipients. */
export class Transaction implements State {
  readonly notNow = NESTED
  readonly verbs: ReadonlyMap<string, Verb>
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
    this.verbs = new Map<string, Verb>([
      ...anytime(context).filter(([verb]) => !['STARTTLS', 'XCLIENT'].includes(verb)),
      ['RCPT', (text) => this.#rcpt(text)],
      ['DATA', (text) => this.#data(text)],
      ['RSET', (text) => without(text, this.#reset())],
    ])
  }

  get #draft(): Draft {
    if (this.#context.draft === null) throw new Error('no transaction without MAIL')
    return this.#context.draft
  }

  async #rcpt(text: string): Promise<Reply> {
    const path = afterWord(text, /^TO:/i, TO_SYNTAX, BAD_TO)
    if ('bytes' in path) return path
    if (!this.#context.esmtp && path.parameters.size > 0) return HELO_PARAMETER
    const { smtputf8 } = this.#draft.opening
    const notice = readRecipientParameters(path.parameters, smtputf8)
    if (notice !== null && 'bytes' in notice) return notice
    if (!smtputf8 && !path.ascii) return NEEDS_SMTPUTF8
    const to = path.barePostmaster ? this.#context.options.postmaster() : path.address
    return to === null ? BAD_TO : this.#add(to, notice)
  }

  async #add(recipient: Address, notice: Notice | null): Promise<Reply> {
    const { opening, to, named, notices } = this.#draft
    const key = identity(recipient)
    const again = to.has(key)
    if (again && !this.#context.options.role.replyPerRecipient) return say.RECIPIENT_OK
    const { options, peer } = this.#context
    if (named.length >= options.limits().recipientsPerMessage) return TOO_MANY
    const paced = options.paced('recipient', peer.address)
    if (paced !== true && !(await paced)) return TOO_MANY_A_MINUTE
    if (!again) await sender(this.#context).checkTo(opening, recipient)
    if (!again && notice !== null) notices.set(key, notice)
    to.set(key, recipient)
    named.push(key)
    return say.RECIPIENT_OK
  }

  async #data(text: string): Promise<Reply> {
    if (text !== '') return say.NO_ARGUMENT
    const { opening, to, named } = this.#draft
    const { options } = this.#context
    const { role } = options
    if (to.size === 0) return role.replyPerRecipient ? NO_LMTP_RECIPIENTS : NO_RECIPIENTS
    if (options.filesShort?.() === true) return NO_FILES
    await sender(this.#context).checkRoom(opening)
    return { bytes: say.SEND_BODY, body: new Data(this.#context, sealed(this.#draft), named) }
  }

  #reset(): Reply {
    return { ...say.OK, next: 'ready' }
  }
}

function sealed({ opening, to, notices }: Draft): Envelope {
  const envelope = { ...opening, to: [...to.values()] }
  if (notices.size === 0) return envelope
  return { ...envelope, notices: [...to.keys()].map((key) => notices.get(key) ?? null) }
}

function clientOf(context: Context): Client {
  const { peer, helo } = context
  return { address: peer.address, helo, secure: peer.secure, user: userOf(context) }
}

/** Reads the path behind `FROM:` or `TO:`, or gives the refusal. */
function afterWord(text: string, word: RegExp, syntax: Reply, address: Reply): Path | Reply {
  const match = word.exec(text)
  const path = match === null ? 'syntax' : parsePath(text.slice(match[0].length))
  if (typeof path !== 'string') return path
  const refusals: Record<PathError, Reply> = { syntax, address, parameter: BAD_PARAMETER }
  return refusals[path]
}
