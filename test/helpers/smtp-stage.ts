/**
 * Where SMTP transcripts play: real realm, courier and directory, a store in
 * memory. Directives:
 *
 *     @user ADDRESS [PASSWORD] @domain NAME [-b]       @alias NAME: TARGETS    (of example.com)
 *     @limit OCTETS            @peer ADDRESS           @tls                    a certificate is there
 *     @secure                  TLS came first
 *     @limits JSON             of messages and mistakes   @allowance NUMBER       of messages and recipients
 *     @front ADDRESS           a server that may say XCLIENT
 *     @submission | @lmtp     another kind of port         @challenges            CRAM-MD5 and SCRAM are offered
 *     @failures NUMBER         of logins from one address that are put up with; 0: any number
 *     @files-short             too few file descriptors
 *     @full                    no room on the disk     @failing                the store cannot write
 *     @broken                  the directory cannot tell                       @mended
 *     @filter JSON             settings of filters, in the form of FilterConfig
 *
 * Questions: `mail ADDRESS`, how many messages; `body ADDRESS`, content of the
 * last one below the trace headers, escaped as JSON; `trace ADDRESS`, those
 * headers; `log`, events; `last FIELD`, that field of the last event; `files`,
 * temporary files that are left; `envelope FIELD`, of the last message, as JSON.
 */
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryChecker } from '../../src/checkers/memory.js'
import { LocalCourier } from '../../src/courier/local.js'
import { RoutingCourier } from '../../src/courier/routing.js'
import { DEFAULT_FILTERS, type FilterConfig } from '../../src/config/filter-config.js'
import { Portal } from '../../src/cred/portal.js'
import type { Peer } from '../../src/cred/credentials.js'
import type { Directory } from '../../src/directory/directory.js'
import { MemoryDirectory } from '../../src/directory/memory.js'
import { Filters } from '../../src/filter/filters.js'
import { MemoryLocks } from '../../src/locks/memory.js'
import type { Fields, Log } from '../../src/log/log.js'
import { type Address, formatAddress } from '../../src/mail/address.js'
import type { Avatars } from '../../src/mail/avatars.js'
import type { Envelope } from '../../src/mail/envelope.js'
import type { Message } from '../../src/mail/message.js'
import { noSpace } from '../../src/mail/refusal.js'
import type { Session } from '../../src/net/session.js'
import { DirectQueue } from '../../src/queue/direct.js'
import type { Queue } from '../../src/queue/queue.js'
import { MailRealm } from '../../src/realm/realm.js'
import { SMTP } from '../../src/config/smtp-config.js'
import type { SmtpLimits } from '../../src/smtp/context.js'
import { LMTP } from '../../src/smtp/lmtp.js'
import { MX } from '../../src/smtp/mx.js'
import type { Role } from '../../src/smtp/role.js'
import { smtpSessions } from '../../src/smtp/server.js'
import { SUBMISSION } from '../../src/smtp/submission.js'
import type { Store } from '../../src/store/store.js'
import type { Stage } from './dialog.js'
import { smallThrottle } from './small-throttle.js'
import type { Directive } from './transcript.js'

export class SmtpStage implements Stage {
  readonly events: { event: string; fields: Fields }[] = []
  readonly #mail = new Map<string, string[]>()
  readonly #users: Record<string, string> = {}
  readonly #passwords: Record<string, string> = {}
  readonly #domains: Record<string, { aliases: string; bounceToPostmaster: boolean }> = {
    'example.com': { aliases: '', bounceToPostmaster: false },
  }
  readonly #temporary = mkdtempSync(join(tmpdir(), 'smtp-stage-'))
  #role: Role = MX
  #limits: SmtpLimits = SMTP
  #allowance = Infinity
  #front = ''
  #failures = 0
  #filesShort = false
  #challenges = false
  #filter: FilterConfig = DEFAULT_FILTERS
  #envelope: Envelope | null = null
  #peer: Peer = { address: '192.0.2.7', port: 4711, protocol: 'smtp', secure: false }
  #limit = 10_000
  #tls = false
  #full = false
  #failing = false
  #broken = false

  open(): Session {
    return smtpSessions({
      role: this.#role,
      limits: () => this.#limits,
      paced: async () => --this.#allowance >= 0,
      filesShort: () => this.#filesShort,
      xclientFrom: (address) => address === this.#front,
      logins: { secrets: () => this.#challenges, scram: () => this.#challenges },
      portal: this.#portal(),
      log: this.#log(),
      hostname: 'mail.example.com',
      maxSize: () => this.#limit,
      tlsAvailable: () => this.#tls,
      postmaster: () => ({ local: 'postmaster', domain: 'example.com' }),
      temporaryDirectory: this.#temporary,
    })(this.#peer)
  }

  direct({ name, rest }: Directive): void {
    const actions: Record<string, () => unknown> = {
      user: () => this.#user(rest),
      domain: () => this.#domain(rest),
      alias: () => (this.#domains['example.com']!.aliases += `${rest}\n`),
      limit: () => (this.#limit = Number(rest)),
      peer: () => (this.#peer = { ...this.#peer, address: rest }),
      tls: () => (this.#tls = true),
      secure: () => (this.#peer = { ...this.#peer, secure: true }),
      submission: () => (this.#role = SUBMISSION),
      lmtp: () => (this.#role = LMTP),
      limits: () => (this.#limits = { ...SMTP, ...(JSON.parse(rest) as object) }),
      allowance: () => (this.#allowance = Number(rest)),
      front: () => (this.#front = rest),
      challenges: () => (this.#challenges = true),
      filter: () => (this.#filter = { ...DEFAULT_FILTERS, ...JSON.parse(rest) }),
      failures: () => (this.#failures = Number(rest)),
      'files-short': () => (this.#filesShort = true),
      full: () => (this.#full = true),
      failing: () => (this.#failing = true),
      broken: () => (this.#broken = true),
      mended: () => (this.#full = this.#failing = this.#broken = this.#filesShort = false),
    }
    const action = actions[name]
    if (action === undefined) throw new Error(`no such directive: @${name}`)
    action()
  }

  ask(question: string): string {
    const [what, of = ''] = question.split(' ')
    const mail = this.#mail.get(of) ?? []
    if (what === 'mail') return String(mail.length)
    if (what === 'body') return JSON.stringify(split(mail.at(-1) ?? '').body)
    if (what === 'trace') return JSON.stringify(split(mail.at(-1) ?? '').trace)
    if (what === 'log') return this.events.map(({ event }) => event).join(', ')
    if (what === 'last') return String(this.events.at(-1)?.fields[of])
    if (what === 'envelope') {
      return JSON.stringify(new Map(Object.entries(this.#envelope ?? {})).get(of) ?? null)
    }
    if (what === 'files') return String(readdirSync(this.#temporary).length)
    throw new Error(`no such question: ${question}`)
  }

  #user(text: string): void {
    // A quoted local part may hold anything.
    const [, address = '', password] = /^(".*"@\S+|\S+)(?: (.*))?$/.exec(text) ?? []
    this.#users[address] = '!'
    if (password !== undefined) this.#passwords[address] = password
  }

  #domain(text: string): void {
    const [name = '', option] = text.split(' ')
    this.#domains[name] = { aliases: '', bounceToPostmaster: option === '-b' }
  }

  #portal(): Portal<Avatars> {
    const directory = this.#directory()
    const store = this.#store()
    const options = { state: this.#temporary, hostname: 'mail.example.com', log: this.#log() }
    const filter = new Filters(this.#filter, options)
    const direct = new DirectQueue(
      new RoutingCourier(directory, { mailbox: new LocalCourier(store) }),
    )
    const queue: Queue = {
      put: (envelope, message) => direct.put((this.#envelope = envelope), message),
    }
    return new Portal(
      new MailRealm({ directory, store, queue, filter, locks: new MemoryLocks() }),
      [new MemoryChecker(this.#passwords)],
      smallThrottle(this.#failures),
    )
  }

  #directory(): Directory {
    const memory = new MemoryDirectory({ users: this.#users, domains: this.#domains })
    const resolve = (address: Address) => {
      if (this.#broken) throw new Error('the user database is away')
      return memory.resolve(address)
    }
    return {
      owns: (domain) => memory.owns(domain),
      resolve: async (address) => resolve(address),
      user: (address) => memory.user(address),
      qualify: (login) => memory.qualify(login),
      secrets: () => memory.secrets(),
      scram: () => memory.scram(),
    }
  }

  #store(): Store {
    const append = async (user: Address, message: Message): Promise<void> => {
      if (this.#failing) throw new Error('EIO')
      const of = formatAddress(user)
      this.#mail.set(of, [...(this.#mail.get(of) ?? []), await content(message)])
    }
    const failure = (work: Promise<void>) => work.then(() => null).catch((error: Error) => error)
    return {
      open: () => Promise.reject(new Error('nobody reads here')),
      checkRoom: async () => {
        if (this.#full) throw noSpace()
      },
      checkQuota: async () => {},
      append,
      appendAll: (places, message) =>
        Promise.all(places.map(({ user }) => failure(append(user, message)))),
    }
  }

  #log(): Log {
    const note = (event: string, fields: Fields = {}) => void this.events.push({ event, fields })
    return { debug: note, info: note, warn: note, error: note }
  }
}

async function content(message: Message): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  // Every test of a message tests the promise of its sizes, too.
  if (bytes.length !== message.size) throw new Error('size is not the size')
  if (bytes.filter((byte) => byte === 10).length !== message.lines) throw new Error('lines lie')
  return bytes.toString('latin1')
}

/** The trace headers are those up to the date of Received. */
function split(mail: string): { trace: string; body: string } {
  const end = /^\t\w{3}, .*\n/m.exec(mail)
  const at = end === null ? 0 : end.index + end[0].length
  return { trace: mail.slice(0, at), body: mail.slice(at) }
}
