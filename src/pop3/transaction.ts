/** RFC 1939 sections 5 and 6: the client works with its mail, and QUIT makes it so. */
import type { Login } from '../cred/realm.js'
import { type Log, reason } from '../log/log.js'
import type { Bytes } from '../mail/message.js'
import {
  type Mailbox,
  MessageUnavailable,
  RemovalIncomplete,
  type StoredMessage,
} from '../mail/mailbox.js'
import { capabilities } from './capa.js'
import { parseNumber, parseTop } from './command.js'
import type { Context } from './context.js'
import { dotStuff } from './dot-stuff.js'
import { headerBeyondAscii } from './header-bytes.js'
import { lang } from './language.js'
import { listing } from './listing.js'
import { Maildrop } from './maildrop.js'
import { MAX_ERRORS } from './options.js'
import { err, later, ok, printable, systemCode } from './reply.js'
import type { Reply, State, Verb } from './state.js'
import type { Texts } from './texts.js'
import { top } from './top.js'
import { bare } from './verb.js'

/** What LIST or UIDL say of a message. */
type About = (message: StoredMessage) => string | number

/** A verb of one session. */
type TransactionVerb = (self: Transaction) => Verb

/** What DELE says, by language: made once, as clients send thousands of them at a time. */
const MARKED = new WeakMap<Texts, Reply>()

function markedReply(texts: Texts): Reply {
  const made = MARKED.get(texts) ?? ok(texts.marked)
  MARKED.set(texts, made)
  return made
}

export class Transaction implements State {
  readonly #login: Login<Mailbox>
  readonly #context: Context
  readonly #drop: Maildrop
  readonly #done = { retr: 0, top: 0, dele: 0, octets: 0 }
  #left = false

  readonly lines = null
  readonly maxUnknown = MAX_ERRORS

  /** Made once for all sessions: a thousand that are idle have no thousand maps. */
  static readonly #verbs: ReadonlyMap<string, TransactionVerb> = new Map<string, TransactionVerb>([
    ['STAT', (self) => self.#bare(() => ok(`${self.#drop.count} ${self.#drop.octets}`))],
    ['LIST', (self) => (number) => self.#list(number, ({ size }) => size)],
    ['UIDL', (self) => (number) => self.#list(number, ({ uid }) => printable(uid))],
    ['RETR', (self) => (number) => self.#retr(number)],
    ['TOP', (self) => (arguments_) => self.#top(arguments_)],
    ['DELE', (self) => (number) => self.#dele(number)],
    ['RSET', (self) => self.#bare(() => self.#rset())],
    ['NOOP', (self) => self.#bare(() => ok(self.#texts.stillHere))],
    ['LANG', (self) => (range) => lang(range, self.#context)],
    ['CAPA', (self) => self.#bare(() => capabilities(self.#context, false))],
    ['QUIT', (self) => self.#bare(() => self.#quit())],
  ])

  /** Takes over the duty to log out. */
  constructor(login: Login<Mailbox>, context: Context) {
    this.#login = login
    this.#context = context
    this.#drop = new Maildrop(login.avatar.messages)
  }

  verb(name: string): Verb | undefined {
    return Transaction.#verbs.get(name)?.(this)
  }

  get refusal(): string {
    return this.#texts.notAfterLogin
  }

  /** How much mail there is, in words. */
  get summary(): string {
    return this.#texts.summary(this.#drop.count, this.#drop.octets)
  }

  get #texts(): Texts {
    return this.#context.texts
  }

  get #log(): Log {
    return this.#context.options.log
  }

  touch(): void {
    this.#login.touch?.()
  }

  onRevoked(callback: () => void): void {
    this.#login.onRevoked?.(callback)
  }

  /** Gives the mailbox back. Marks come to nothing: only QUIT removes (RFC 1939 section 6). */
  async leave(why: string): Promise<void> {
    if (this.#left) return
    this.#left = true
    // Written out: to spread two objects takes half as long as to write the line.
    const { user, ip } = this.#who()
    const { retr, top: tops, dele, octets } = this.#done
    this.#log.info('pop3 logout', { user, ip, why, retr, top: tops, dele, octets })
    try {
      await this.#login.logout()
    } catch (error) {
      this.#log.error('pop3 logout failed', { ...this.#who(), reason: reason(error) })
    }
  }

  #bare(act: () => Reply | Promise<Reply>): Verb {
    return bare(this.#context, act)
  }

  #list(argument: Buffer, about: About): Reply {
    if (argument.length > 0) return this.#listOne(argument, about)
    return ok(this.summary, { body: listing(this.#drop.lines(about)) })
  }

  #listOne(argument: Buffer, about: About): Reply {
    const message = this.#find(argument)
    return message === null
      ? this.#noSuchMessage()
      : ok(`${argument.toString('latin1')} ${about(message)}`)
  }

  #retr(argument: Buffer): Reply | Promise<Reply> {
    const message = this.#find(argument)
    if (message === null) return this.#noSuchMessage()
    return this.#read(message, (content) => {
      const body = dotStuff(content)
      this.#done.retr++
      this.#done.octets += message.size
      return ok(this.#texts.octets(message.size), { body })
    })
  }

  #top(argument: Buffer): Reply | Promise<Reply> {
    const wanted = parseTop(argument)
    if (wanted === null) return err(this.#texts.topArguments)
    const message = this.#drop.get(wanted.number)
    if (message === null) return this.#noSuchMessage()
    return this.#read(message, (content) => {
      const body = dotStuff(top(content, wanted.lines))
      this.#done.top++
      return ok(this.#texts.topFollows, { body })
    })
  }

  /** At once if the message is in memory: a client that reads them all gets most of them so. */
  #read(message: StoredMessage, reply: (content: Bytes) => Reply): Reply | Promise<Reply> {
    if (this.#context.asciiHeadersOnly) return this.#readAscii(message, reply)
    try {
      const content = this.#open(message)
      if (!(content instanceof Promise)) return reply(content)
      return content.then(reply).catch((error: unknown) => this.#unavailable(message, error))
    } catch (error) {
      return this.#unavailable(message, error)
    }
  }

  async #readAscii(message: StoredMessage, reply: (content: Bytes) => Reply): Promise<Reply> {
    try {
      // For itself alone: what is sent afterwards need not be kept meanwhile.
      const beyond = await headerBeyondAscii(await this.#open(message))
      if (beyond) return later(this.#texts.needsUtf8, 'UTF8')
      return reply(await this.#open(message))
    } catch (error) {
      return this.#unavailable(message, error)
    }
  }

  #open(message: StoredMessage): Bytes | Promise<Bytes> {
    return this.#login.avatar.open(message, 'passed')
  }

  /** One message that cannot be read is no reason to keep the others from their owner. */
  #unavailable(message: StoredMessage, error: unknown): Reply {
    if (!(error instanceof MessageUnavailable)) throw error
    const fields = { ...this.#who(), uid: message.uid, reason: reason(error) }
    this.#log.warn('pop3 message unavailable', fields)
    return later(this.#texts.unreadable, systemCode(error))
  }

  #dele(argument: Buffer): Reply {
    const message = this.#find(argument)
    if (message === null) return this.#noSuchMessage()
    this.#drop.mark(message)
    return markedReply(this.#texts)
  }

  #rset(): Reply {
    this.#drop.unmarkAll()
    return ok(this.summary)
  }

  /** The UPDATE state. The mailbox is free again before the client hears of it: it may come back at once. */
  async #quit(): Promise<Reply> {
    const reply = await this.#update([...this.#drop.marked])
    await this.leave('quit')
    return { ...reply, next: null }
  }

  async #update(marked: readonly StoredMessage[]): Promise<Reply> {
    if (marked.length === 0) return ok(this.#texts.bye)
    try {
      await this.#login.avatar.remove(marked)
      this.#done.dele = marked.length
      return ok(this.#texts.removed(marked.length))
    } catch (error) {
      if (error instanceof RemovalIncomplete) this.#done.dele = marked.length - error.left
      this.#log.error('pop3 removal incomplete', { ...this.#who(), reason: reason(error) })
      return later(this.#texts.notRemoved, systemCode(error))
    }
  }

  #find(argument: Buffer): StoredMessage | null {
    const number = parseNumber(argument)
    return number === null ? null : this.#drop.get(number)
  }

  #who() {
    return { user: this.#login.id, ip: this.#context.peer.address }
  }

  #noSuchMessage(): Reply {
    return err(this.#texts.noSuchMessage)
  }
}
