/**
 * Where POP3 transcripts play. Directives:
 *
 *     @user ID PASSWORD       @message ID UID (block = content)    @many ID COUNT
 *     @tls                    a certificate is there               @secure     TLS came first
 *     @peer ADDRESS           @tls-only                            @apop       challenge <1.2.3@host>
 *     @scram                  SCRAM is offered                    @nonce TEXT of the next challenge
 *     @login-delay SECONDS    @expire DAYS                         @language TAG
 *     @hasty ID               logged in too short a time ago       @trouble CODE of the user database
 *     @held ID                another session has the mailbox      @released ID
 *     @broken                 the user database is away            @mended
 *     @unreadable ID UID      @immovable ID UID    @torn ID UID    @chunks ID OCTETS
 *     @failures N of logins that are put up with
 *     @max-errors N           @real-challenge, not that of @apop      @utf8 as-is or strict
 *
 * Questions: `mailbox ID`, uids kept; `held`, ids; `log`, events;
 * `last FIELD`, that field of the last event; `reads ID`, chunks read;
 * `logged WORD`, whether the log holds that word.
 */
import type { Peer } from '../../src/cred/credentials.js'
import type { Fields, Log } from '../../src/log/log.js'
import type { Session } from '../../src/net/session.js'
import { pop3Sessions } from '../../src/pop3/server.js'
import type { Pop3Options } from '../../src/pop3/options.js'
import type { Stage } from './dialog.js'
import { MemoryUsers } from './memory-portal.js'
import type { Directive } from './transcript.js'

export class Pop3Stage implements Stage {
  readonly users = new MemoryUsers()
  readonly events: { event: string; fields: Fields }[] = []
  #peer: Peer = { address: '192.0.2.7', port: 4711, protocol: 'pop3', secure: false }
  #tls = false
  #apop = false
  #scram = false
  #nonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  #more: Omit<Partial<Pop3Options>, 'scramOffered' | 'apopOffered'> = { challenge: () => '1.2.3' }

  open(): Session {
    return pop3Sessions({
      portal: this.users.portal(),
      log: this.#log(),
      hostname: 'mail.example.com',
      tlsAvailable: () => this.#tls,
      apopOffered: () => this.#apop,
      scramOffered: () => this.#scram,
      nonce: () => this.#nonce,
      ...this.#more,
    })(this.#peer)
  }

  direct({ name, rest, block }: Directive): void {
    const [id = '', word = ''] = rest.split(' ')
    const actions: Record<string, () => unknown> = {
      user: () => this.users.add(id, rest.slice(id.length + 1)),
      message: () => this.users.store(id).add(word, block),
      many: () => this.#many(id, Number(word)),
      tls: () => (this.#tls = true),
      secure: () => (this.#peer = { ...this.#peer, secure: true }),
      peer: () => (this.#peer = { ...this.#peer, address: rest }),
      'tls-only': () => (this.#more = { ...this.#more, plaintextLogins: () => 'tls-only' }),
      'max-errors': () => (this.#more = { ...this.#more, maxErrors: Number(rest) }),
      apop: () => (this.#apop = true),
      scram: () => (this.#scram = true),
      nonce: () => (this.#nonce = rest),
      'login-delay': () => (this.#more = { ...this.#more, loginDelay: () => Number(rest) }),
      expire: () => (this.#more = { ...this.#more, expire: () => rest }),
      utf8: () => (this.#more = { ...this.#more, utf8: () => utf8Of(rest) }),
      language: () => (this.#more = { ...this.#more, language: () => rest }),
      failures: () => (this.users.failures = Number(rest)),
      hasty: () => this.users.hasty.add(id),
      trouble: () => (this.users.trouble = rest),
      'real-challenge': () => (this.#more = {}),
      held: () => this.users.held.add(id),
      released: () => this.users.held.delete(id),
      broken: () => (this.users.broken = true),
      mended: () => (this.users.broken = false),
      unreadable: () => this.users.store(id).unreadable.add(word),
      immovable: () => this.users.store(id).immovable.add(word),
      torn: () => this.users.store(id).torn.add(word),
      chunks: () => (this.users.store(id).chunkSize = Number(word)),
    }
    const action = actions[name]
    if (action === undefined) throw new Error(`no such directive: @${name}`)
    action()
  }

  ask(question: string): string {
    const [what, of = ''] = question.split(' ')
    if (what === 'mailbox')
      return this.users
        .store(of)
        .messages.map(({ uid }) => uid)
        .join(' ')
    if (what === 'held') return [...this.users.held].join(' ')
    if (what === 'log') return this.events.map(({ event }) => event).join(', ')
    if (what === 'logged') return String(JSON.stringify(this.events).includes(of))
    if (what === 'last') return String(this.events.at(-1)?.fields[of])
    if (what === 'reads') return String(this.users.store(of).reads)
    throw new Error(`no such question: ${question}`)
  }

  #many(id: string, count: number): void {
    for (let n = 1; n <= count; n++) {
      this.users.store(id).add(`M${n}`, Buffer.from(`Subject: ${n}\r\n\r\n`))
    }
  }

  #log(): Log {
    const note = (event: string, fields: Fields = {}) => void this.events.push({ event, fields })
    return { debug: note, info: note, warn: note, error: note }
  }
}

function utf8Of(word: string): 'as-is' | 'strict' {
  if (word !== 'as-is' && word !== 'strict') throw new Error(`no such word: ${word}`)
  return word
}
