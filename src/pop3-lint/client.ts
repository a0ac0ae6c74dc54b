/** A POP3 client that keeps to the letter of RFC 1939: a command, a status line, perhaps a body. */
import { Connection } from './connection.js'
import type { StatusLines } from './status-lines.js'
import type { Account, Target } from './target.js'

/** What follows a `+OK` by the rules of the command. */
const ALWAYS_LONG = new Set(['RETR', 'TOP', 'CAPA'])
const LOGINS = new Set(['PASS', 'APOP', 'AUTH'])
const LONG_WITHOUT_ARGUMENT = new Set(['LIST', 'UIDL', 'LANG'])

export interface Reply {
  readonly status: string
  readonly ok: boolean
  /** As on the wire, without the final dot; `null` when there is none. */
  readonly body: Buffer | null
}

export class Client {
  readonly #connection: Connection
  readonly #statusLines: StatusLines
  /** The first line of the server. */
  greeting = ''
  /** A login has succeeded, and no QUIT. */
  #loggedIn = false
  /** The next thing that we say is a SASL response. */
  #challenged = false
  /** A message was marked: QUIT might remove it, even after RSET if that is faulty. */
  #marked = false

  private constructor(connection: Connection, statusLines: StatusLines) {
    this.#connection = connection
    this.#statusLines = statusLines
  }

  /** Up to the greeting, TLS not yet begun by STLS. @throws Unreachable, NoAnswer */
  static async open(target: Target, statusLines: StatusLines): Promise<Client> {
    const client = new Client(await Connection.open(target), statusLines)
    client.greeting = await client.status()
    return client
  }

  get over(): boolean {
    return this.#connection.over
  }

  /** True if the server has let us in and not heard QUIT: it may not know yet that we are gone. */
  get lingers(): boolean {
    return this.#loggedIn
  }

  /** Sends a command and hears all of its answer. @throws NoAnswer */
  async ask(command: string): Promise<Reply> {
    this.send(`${command}\r\n`)
    return this.hear(command)
  }

  /** @throws NoAnswer */
  async hear(command: string): Promise<Reply> {
    const status = await this.status()
    const ok = status.startsWith('+OK')
    const body = ok && isLong(command) ? await this.#connection.body() : null
    this.#remember(command, status, ok)
    return { status, ok, body }
  }

  /** @throws NoAnswer */
  async status(patienceMs?: number): Promise<string> {
    const line = await this.#connection.line(patienceMs)
    this.#statusLines.add(line)
    return line.text
  }

  /** RFC 1939 section 7, USER and PASS. @returns the answer that decided */
  async login({ user, password }: Account): Promise<Reply> {
    const named = await this.ask(`USER ${utf8(user)}`)
    return named.ok ? this.ask(`PASS ${utf8(password)}`) : named
  }

  /** @throws Unreachable, NoAnswer */
  async stls(verify: boolean): Promise<Reply> {
    const reply = await this.ask('STLS')
    if (reply.ok) await this.secure(verify)
    return reply
  }

  secure(verify: boolean): Promise<void> {
    return this.#connection.secure(verify)
  }

  send(bytes: string): void {
    this.#connection.send(bytes)
  }

  rest(): Promise<string> {
    return this.#connection.rest()
  }

  /** Hangs up without a word: nothing that was marked may be removed (RFC 1939 section 6). */
  drop(): void {
    this.#connection.close()
  }

  /** Leaves the mailbox as it is, and free for the next session. */
  async leave(): Promise<void> {
    try {
      if (!this.#loggedIn || this.#marked || this.over) return
      await this.ask('QUIT')
    } catch {
      // Whatever the server does now, the row has its verdict.
    } finally {
      this.drop()
    }
  }

  #remember(command: string, status: string, ok: boolean): void {
    const verb = verbOf(command)
    if (ok && (LOGINS.has(verb) || this.#challenged)) this.#loggedIn = true
    this.#challenged = status.startsWith('+ ')
    if (ok && verb === 'DELE') this.#marked = true
    if (verb === 'QUIT') this.#loggedIn = false
  }
}

/** UTF-8 as the octets that `send` writes. */
export const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

function verbOf(command: string): string {
  return command.split(' ', 1)[0]!.toUpperCase()
}

function isLong(command: string): boolean {
  const verb = verbOf(command)
  return ALWAYS_LONG.has(verb) || (LONG_WITHOUT_ARGUMENT.has(verb) && !command.includes(' '))
}
