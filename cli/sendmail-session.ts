/**
 * `sendmail -bs`: SMTP on standard input and output, for mail programs that speak it to a program
 * instead of a port. The session is the server's own; what it takes goes into the maildrop, so it
 * works without a server, too.
 */
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { ANONYMOUS } from '../src/cred/checker.js'
import { LoginRefused } from '../src/cred/errors.js'
import { Portal } from '../src/cred/portal.js'
import type { Realm } from '../src/cred/realm.js'
import { silent } from '../src/log/log.js'
import type { Address } from '../src/mail/address.js'
import type { Avatars } from '../src/mail/avatars.js'
import type { Envelope, Opening } from '../src/mail/envelope.js'
import type { Message } from '../src/mail/message.js'
import type { Outcome } from '../src/mail/outcome.js'
import { relayMissing, tryLater } from '../src/mail/refusal.js'
import type { Sender } from '../src/mail/sender.js'
import { Dialogue } from '../src/net/dialogue.js'
import type { Answer, Session } from '../src/net/session.js'
import { postmasterOf } from '../src/ports.js'
import { MX } from '../src/smtp/mx.js'
import { smtpSessions } from '../src/smtp/server.js'
import { drop } from './sendmail-drop.js'
import { readSite, type Site } from './sendmail-site.js'
import { readConfig } from './settings.js'

/** Resolves when the client has said QUIT or has gone. @throws Failure */
export async function converse(file: string): Promise<void> {
  const session = await sessionOf(file)
  const input = (process.stdin as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  try {
    if (!(await sent(await session.greet()))) return
    await talk(session, input)
  } finally {
    await session.closed()
    // Whoever keeps its end open must not keep us.
    process.stdin.destroy()
  }
}

async function talk(session: Session, input: AsyncIterator<Buffer>): Promise<void> {
  const dialogue = new Dialogue(session)
  for (;;) {
    const next = await inTime(input.next(), dialogue.patience)
    if (next === null) return written(session.farewell('idle'))
    if (next.done === true) return
    dialogue.push(next.value)
    while (!dialogue.idle) {
      const answer = await dialogue.next()
      if (answer !== null && !(await sent(answer))) return
    }
  }
}

/** @returns `null` when it took too long */
async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** @returns false after the last answer */
async function sent({ head, body = [], then }: Answer): Promise<boolean> {
  await written(head)
  for await (const piece of body) await written(piece)
  return then === undefined
}

async function written(bytes: Buffer): Promise<void> {
  if (process.stdout.writable && !process.stdout.write(bytes)) await once(process.stdout, 'drain')
}

async function sessionOf(file: string): Promise<Session> {
  const [site, config] = [await readSite(file), await readConfig(file)]
  const open = smtpSessions({
    role: MX,
    logins: { secrets: () => false, scram: () => false },
    portal: new Portal<Avatars>(realmOf(new DropSender(site)), []),
    hostname: config.hostname,
    maxSize: () => config.limits.messageSize,
    limits: () => config.smtp,
    paced: () => true,
    xclientFrom: () => false,
    tlsAvailable: () => false,
    postmaster: () => postmasterOf(config),
    temporaryDirectory: tmpdir(),
    log: silent,
  })
  return open({ address: '', port: 0, protocol: 'smtp', secure: false })
}

/** Whoever runs sendmail may send; nobody has to log in. */
function realmOf(avatar: Sender): Realm<Avatars> {
  return {
    requestAvatar: async <A extends keyof Avatars>(_: string, aspect: A) => {
      if (aspect !== 'sender') throw new LoginRefused()
      return { id: ANONYMOUS, avatar: avatar as Avatars[A], logout: async () => {} }
    },
  }
}

/** Takes mail for everybody: who is not there is found out by the server, which tells the sender. */
class DropSender implements Sender {
  readonly #site: Site

  constructor(site: Site) {
    this.#site = site
  }

  async checkFrom(): Promise<void> {}

  async checkTo(_: Opening, to: Address): Promise<void> {
    if (!this.#site.reaches(to.domain)) throw relayMissing()
  }

  async checkRoom(): Promise<void> {}

  async send(envelope: Envelope, message: Message): Promise<readonly Outcome[]> {
    const { from, to, notices, reports = null, smtputf8, eightBit, requireTls } = envelope
    const wishes = { reports, smtputf8, eightBit, requireTls }
    try {
      const all = to.map((_, place) => notices?.[place] ?? null)
      await drop(this.#site, { from, to, notices: all, ...wishes }, message)
    } catch (error) {
      throw tryLater(error)
    }
    return to.map((each) => ({ to: each, refusal: null }))
  }
}
