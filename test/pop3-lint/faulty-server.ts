/**
 * A small POP3 server with one mistake at a time, each made by a server that is or was in use. It
 * shows that a row fails where it must: a lint that never fails proves nothing.
 */
import { createServer, type Server, type Socket } from 'node:net'

export type Fault =
  | 'none'
  | 'lf-sizes'
  | 'top-counts-header'
  | 'top-zero-is-all'
  | 'dots-not-stuffed'
  | 'uidl-without-number'
  | 'uidl-new-each-time'
  | 'uidl-twins-alike'
  | 'dele-at-once'
  | 'dele-renumbers'
  | 'dele-still-served'
  | 'rset-keeps-marks'
  | 'no-lock'
  | 'in-use-says-auth'
  | 'capa-top-after-login'
  | 'wrong-password-without-code'
  | 'hangs-up-on-unknown'
  | 'case-matters'
  | 'silent-noop'
  | 'lower-case-status'
  | 'bare-lf'
  | 'quit-stays'
  | 'quit-keeps-mail'
  | 'pipeline-loses'

const PASSWORD = 'secret'

interface Stored {
  readonly uid: string
  readonly text: string
}

export class FaultyServer {
  readonly #fault: Fault
  readonly #server: Server
  readonly sockets = new Set<Socket>()
  mails: Stored[]
  open = 0
  sessions = 0

  constructor(fault: Fault, messages: readonly Buffer[]) {
    this.#fault = fault
    this.mails = messages.map((bytes, index) => ({
      uid: `uid${fault === 'uidl-twins-alike' ? 0 : index}`,
      text: bytes.toString('latin1'),
    }))
    this.#server = createServer((socket) => new FaultySession(this, socket, fault).run())
  }

  has(fault: Fault): boolean {
    return this.#fault === fault
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as { port: number }).port
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

class FaultySession {
  readonly #server: FaultyServer
  readonly #socket: Socket
  readonly #fault: Fault
  #mails: Stored[] = []
  readonly #marked = new Set<Stored>()
  #user = ''
  #in = false
  #inbox = ''
  #number = 0

  constructor(server: FaultyServer, socket: Socket, fault: Fault) {
    this.#server = server
    this.#socket = socket
    this.#fault = fault
  }

  run(): void {
    this.#server.sockets.add(this.#socket)
    this.#socket.setEncoding('latin1')
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.#leave())
    this.#socket.on('data', (text: string) => this.#hear(text))
    this.#say('+OK ready')
  }

  #hear(text: string): void {
    this.#inbox += text
    const lines = this.#inbox.split('\n')
    this.#inbox = lines.pop()!
    const heard = this.#fault === 'pipeline-loses' ? lines.slice(0, 5) : lines
    for (const line of heard) this.#command(line.replace(/\r$/, ''))
  }

  #command(line: string): void {
    const [word = '', ...words] = line.split(' ')
    const verb = this.#fault === 'case-matters' ? word : word.toUpperCase()
    if (line.length > 255 || words.includes('')) return this.#err('what?')
    if (verb === 'CAPA') return this.#capa()
    if (verb === 'QUIT') return this.#quit()
    if (!this.#in) return this.#before(verb, words.join(' '))
    return this.#after(verb, words)
  }

  #before(verb: string, argument: string): void {
    if (verb === 'USER') {
      this.#user = argument
      return this.#say('+OK')
    }
    if (verb !== 'PASS' || this.#user === '') return this.#unknown()
    if (argument !== PASSWORD)
      return this.#err(this.#fault === 'wrong-password-without-code' ? 'no' : '[AUTH] no')
    if (this.#server.open > 0 && this.#fault !== 'no-lock')
      return this.#err(this.#fault === 'in-use-says-auth' ? '[AUTH] in use' : '[IN-USE] no')
    this.#in = true
    this.#server.open++
    this.#number = ++this.#server.sessions
    this.#mails = [...this.#server.mails]
    return this.#say('+OK')
  }

  #after(verb: string, words: readonly string[]): void {
    if (verb === 'NOOP' && this.#fault === 'silent-noop') return
    if (['NOOP', 'RSET', 'STAT'].includes(verb)) return this.#bare(verb)
    if (['LIST', 'UIDL'].includes(verb) && words.length === 0) return this.#listing(verb)
    if (!['LIST', 'UIDL', 'RETR', 'TOP', 'DELE'].includes(verb)) return this.#unknown()
    return this.#message(verb, words)
  }

  #message(verb: string, words: readonly string[]): void {
    const [first] = words
    const mail = this.#find(first ?? '')
    const right =
      verb === 'TOP' ? words.length === 2 && /^\d{1,10}$/.test(words[1]!) : words.length === 1
    if (mail === null || !right) return this.#err('no such message')
    if (verb === 'DELE') return this.#dele(mail)
    if (verb === 'RETR' || verb === 'TOP')
      return this.#send(mail, verb === 'TOP' ? Number(words[1]) : null)
    return this.#one(verb, first!, mail)
  }

  #bare(verb: string): void {
    if (verb === 'RSET' && this.#fault !== 'rset-keeps-marks') this.#marked.clear()
    const left = this.#left()
    const octets = left.reduce((sum, mail) => sum + this.#size(mail), 0)
    this.#say(verb === 'STAT' ? `+OK ${left.length} ${octets}` : '+OK')
  }

  #listing(verb: string): void {
    const renumbers = this.#fault === 'dele-renumbers'
    const mails = renumbers ? this.#left() : this.#mails
    const lines = mails.flatMap((mail, index) =>
      this.#gone(mail) ? [] : [`${index + 1} ${this.#about(verb, mail)}`],
    )
    this.#say(['+OK', ...lines, '.'].join('\r\n'))
  }

  #one(verb: string, number: string, mail: Stored): void {
    const bare = verb === 'UIDL' && this.#fault === 'uidl-without-number'
    this.#say(`+OK ${bare ? '' : `${number} `}${this.#about(verb, mail)}`)
  }

  #about(verb: string, mail: Stored): string {
    if (verb === 'LIST') return String(this.#size(mail))
    return this.#fault === 'uidl-new-each-time' ? `${this.#number}.${mail.uid}` : mail.uid
  }

  #size({ text }: Stored): number {
    return this.#fault === 'lf-sizes' ? text.replaceAll('\r', '').length : text.length
  }

  #send(mail: Stored, lines: number | null): void {
    const text = lines === null ? mail.text : this.#top(mail.text, lines)
    const stuffed = this.#fault === 'dots-not-stuffed' ? text : text.replace(/(^|\n)\./g, '$1..')
    this.#say(`+OK\r\n${stuffed}.`)
  }

  #top(text: string, lines: number): string {
    if (lines === 0 && this.#fault === 'top-zero-is-all') return text
    const all = text.match(/[^\n]*\n/g)!
    const blank = all.indexOf('\r\n')
    const header = this.#fault === 'top-counts-header' ? 0 : blank + 1
    return blank === -1 ? text : all.slice(0, header + lines).join('')
  }

  #dele(mail: Stored): void {
    this.#marked.add(mail)
    if (this.#fault === 'dele-at-once') this.#removeMarked()
    this.#say('+OK')
  }

  #quit(): void {
    if (this.#fault !== 'quit-keeps-mail') this.#removeMarked()
    this.#say('+OK')
    if (this.#fault !== 'quit-stays') this.#socket.end()
  }

  #removeMarked(): void {
    this.#server.mails = this.#server.mails.filter((mail) => !this.#marked.has(mail))
  }

  #find(number: string): Stored | null {
    if (!/^[1-9]\d{0,9}$/.test(number)) return null
    const mail = this.#mails[Number(number) - 1]
    const served = this.#fault === 'dele-still-served'
    return mail === undefined || (this.#gone(mail) && !served) ? null : mail
  }

  readonly #gone = (mail: Stored): boolean => this.#marked.has(mail)
  readonly #left = (): Stored[] => this.#mails.filter((mail) => !this.#gone(mail))

  #capa(): void {
    const hidden = this.#fault === 'capa-top-after-login' && !this.#in
    const tags = ['USER', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING']
    this.#say(['+OK', ...tags, ...(hidden ? [] : ['TOP']), '.'].join('\r\n'))
  }

  #unknown(): void {
    this.#err('unknown')
    if (this.#fault === 'hangs-up-on-unknown') this.#socket.end()
  }

  readonly #err = (why: string): void => this.#say(`-ERR ${why}`)

  #say(text: string): void {
    const lower = this.#fault === 'lower-case-status' && text.startsWith('-ERR')
    const bare = this.#fault === 'bare-lf' && !text.includes('\n')
    this.#socket.write(
      `${lower ? text.replace('-ERR', '-Err') : text}${bare ? '\n' : '\r\n'}`,
      'latin1',
    )
  }

  #leave(): void {
    this.#server.sockets.delete(this.#socket)
    if (this.#in) this.#server.open--
    this.#in = false
  }
}
