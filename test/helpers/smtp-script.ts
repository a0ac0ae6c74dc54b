/** An SMTP or LMTP server that answers as a test has written down, badly if it says so, and remembers what it took. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'

/** What is done instead of saying something. */
type Deed = 'drop' | 'stall' | 'endless' | 'long line'
/** By verb, or by the whole command line; `.` after the final dot, `hello` is the greeting, `response` an answer within AUTH. */
export type Script = Readonly<Record<string, string | { readonly deed: Deed }>>

export interface ScriptOptions {
  readonly script?: Script
  /** Key and certificate in PEM: STARTTLS works. */
  readonly pem?: string
  readonly implicitTls?: boolean
  /** Plain text that follows the 220 to STARTTLS in the same packet. */
  readonly afterStartTls?: string
  /** Octets of each piece that is said; absent = all at once. */
  readonly pieces?: number
  /** Address to listen on; absent = loopback. */
  readonly host?: string
}

const GOOD: Script = {
  hello: '220 mx.test ESMTP',
  EHLO: '250-mx.test\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES',
  LHLO: '250-mx.test\r\n250-PIPELINING\r\n250 8BITMIME',
  HELO: '250 mx.test',
  STARTTLS: '220 2.0.0 go',
  AUTH: '235 2.7.0 welcome',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go on',
  '.': '250 2.0.0 taken',
  RSET: '250 2.0.0 ok',
  QUIT: '221 2.0.0 bye',
}

export interface ScriptedServer {
  readonly port: number
  /** All that was heard, of all connections, as it came; in TLS decrypted. */
  heard(): string
  /** Command lines of all connections. */
  commands(): readonly string[]
  /** Messages that a 2xx was said to, as on the wire, without the final dot. */
  readonly taken: string[]
  readonly connections: Socket[]
  /** Changes what is said from now on. */
  change(script: Script): void
}

export async function scriptedServer(options: ScriptOptions = {}): Promise<ScriptedServer> {
  const world = {
    script: { ...GOOD, ...options.script },
    context: options.pem === undefined ? null : contextOf(options.pem),
    heard: [] as string[],
    commands: [] as string[],
    taken: [] as string[],
    connections: [] as Socket[],
  }
  const server = createServer((socket) => {
    world.connections.push(socket)
    new Session(world, options).begin(socket)
  })
  server.listen(0, options.host ?? '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of world.connections) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    heard: () => world.heard.join(''),
    commands: () => world.commands,
    taken: world.taken,
    connections: world.connections,
    change: (script) => void (world.script = { ...world.script, ...script }),
  }
}

interface World {
  readonly script: Script
  readonly context: SecureContext | null
  readonly heard: string[]
  readonly commands: string[]
  readonly taken: string[]
}

const contextOf = (pem: string): SecureContext => createSecureContext({ key: pem, cert: pem })

class Session {
  readonly #world: World
  readonly #options: ScriptOptions
  #socket!: Socket
  #rest = ''
  /** Lines of the message; `null` = commands are expected. */
  #message: string[] | null = null
  #auth = false

  constructor(world: World, options: ScriptOptions) {
    this.#world = world
    this.#options = options
  }

  begin(socket: Socket): void {
    socket.on('error', () => {})
    if (this.#options.implicitTls === true) return this.#secure(socket, () => this.#do('hello'))
    this.#listen(socket)
    this.#do('hello')
  }

  #secure(socket: Socket, then: () => void): void {
    const secured = new TLSSocket(socket, {
      isServer: true,
      ...(this.#world.context === null ? {} : { secureContext: this.#world.context }),
    })
    this.#rest = ''
    this.#listen(secured)
    secured.once('secure', then)
  }

  #listen(socket: Socket): void {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => this.#take(chunk.toString('latin1')))
  }

  #take(text: string): void {
    this.#world.heard.push(text)
    this.#rest += text
    for (let end = this.#rest.indexOf('\r\n'); end !== -1; end = this.#rest.indexOf('\r\n')) {
      const line = this.#rest.slice(0, end)
      this.#rest = this.#rest.slice(end + 2)
      this.#line(line)
    }
  }

  #line(line: string): void {
    if (this.#message !== null) return this.#content(line, this.#message)
    this.#world.commands.push(line)
    if (this.#auth) {
      const said = this.#do(line in this.#world.script ? line : 'response')
      this.#auth = said.startsWith('334')
      return
    }
    const verb = line.split(' ', 1)[0]!
    const said = this.#do(line in this.#world.script ? line : verb)
    if (verb === 'DATA' && said.startsWith('354')) this.#message = []
    if (verb === 'AUTH') this.#auth = said.startsWith('334')
    if (verb === 'STARTTLS' && said.startsWith('220')) this.#upgrade()
  }

  #content(line: string, message: string[]): void {
    if (line !== '.') return void message.push(line)
    this.#message = null
    if (/^2\d\d/.test(this.#do('.'))) this.#world.taken.push(message.join('\r\n'))
  }

  #upgrade(): void {
    const plain = this.#socket
    plain.removeAllListeners('data')
    this.#secure(plain, () => {})
  }

  /** @returns what was said */
  #do(what: string): string {
    const action = this.#world.script[what] ?? '500 5.5.1 what?'
    if (typeof action === 'string') return this.#say(action, what)
    if (action.deed === 'drop') this.#socket.destroy()
    if (action.deed === 'endless') this.#flood('250-and more\r\n'.repeat(1_000))
    if (action.deed === 'long line') this.#flood('250 x'.padEnd(1_048_576, 'x'))
    return ''
  }

  #say(text: string, what: string): string {
    const after = what === 'STARTTLS' ? (this.#options.afterStartTls ?? '') : ''
    const bytes = Buffer.from(`${text}\r\n${after}`, 'latin1')
    const size = this.#options.pieces ?? bytes.length
    for (let at = 0; at < bytes.length; at += size)
      this.#socket.write(bytes.subarray(at, at + size))
    return text
  }

  /** As long as somebody listens. */
  #flood(text: string): void {
    const socket = this.#socket
    const more = (): void => {
      if (!socket.destroyed) socket.write(text, () => setImmediate(more))
    }
    more()
  }
}
