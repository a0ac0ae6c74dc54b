/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS as the client (RFC 5802 section 5, RFC 7677): the password
 * never leaves, and a server that does not know it cannot say yes.
 */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { preparedPassword, saslprep } from '../cred/saslprep.js'
import { decodeBase64 } from '../sasl/base64.js'
import { nonce } from '../sasl/nonce.js'
import type { ClientMechanism, PasswordLogin } from './client-mechanism.js'

/** RFC 5056: what both ends of one TLS connection know, and nobody in between. */
export interface Binding {
  readonly type: string
  readonly data: Buffer
}

/** RFC 7677 section 4. */
const MIN_ITERATIONS = 4_096
/** Half a second of a thread; what asks for more wants to wear us out. */
const MAX_ITERATIONS = 1_000_000
const MAX_SALT = 1_024
const KEY_OCTETS = 32
const SERVER_FIRST = /^r=([!-+\--~]{1,1024}),s=([A-Za-z0-9+/=]+),i=([1-9]\d{0,7})(?:,.*)?$/s
const SERVER_FINAL = /^v=([A-Za-z0-9+/=]+)(?:,.*)?$/s

const stretch = promisify(pbkdf2)

export class ScramClient implements ClientMechanism {
  readonly name: string
  readonly first: Buffer
  readonly #password: string
  readonly #bare: string
  readonly #nonce: string
  /** What the server's view of the binding must be (RFC 5802 section 5.1, attribute c). */
  readonly #binding: Buffer
  /** What the server must say to prove itself; `null` before our proof. */
  #expected: Buffer | null = null
  #proven = false

  /**
   * @param binding `null` = this connection has none
   * @param plus the server offers to bind
   * @param ownNonce fixed in a test
   */
  constructor(login: PasswordLogin, binding: Binding | null, plus: boolean, ownNonce = nonce()) {
    const bound = plus && binding !== null
    this.name = bound ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256'
    this.#password = preparedPassword(login.password)
    this.#nonce = ownNonce
    this.#bare = `n=${escaped(saslprep(login.user) ?? login.user)},r=${ownNonce}`
    // `y`: we could bind, and see no offer. A server that made one knows that it was taken out.
    const header = `${bound ? `p=${binding.type}` : flagWithout(binding)},,`
    this.#binding = Buffer.concat([Buffer.from(header), bound ? binding.data : Buffer.alloc(0)])
    this.first = Buffer.from(header + this.#bare)
  }

  answer(challenge: Buffer): Buffer | Promise<Buffer> {
    if (this.#expected === null) return this.#prove(challenge.toString('utf8'))
    const [, text = ''] = SERVER_FINAL.exec(challenge.toString('utf8')) ?? []
    const signature = decodeBase64(text)
    this.#proven = signature?.length === KEY_OCTETS && timingSafeEqual(signature, this.#expected)
    if (!this.#proven) throw new Error('the server does not know the password')
    return Buffer.alloc(0)
  }

  accepted(): void {
    if (!this.#proven) throw new Error('the server has not shown that it knows the password')
  }

  async #prove(serverFirst: string): Promise<Buffer> {
    const [, both = '', saltText = '', digits = ''] = SERVER_FIRST.exec(serverFirst) ?? []
    const salt = decodeBase64(saltText)
    const iterations = Number(digits)
    const fair = iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS
    if (salt === null || salt.length > MAX_SALT || !fair)
      throw new Error('no first message of SCRAM')
    if (!both.startsWith(this.#nonce) || both === this.#nonce) throw new Error('another nonce')
    const salted = await stretch(this.#password, salt, iterations, KEY_OCTETS, 'sha256')
    const unproven = `c=${this.#binding.toString('base64')},r=${both}`
    const said = `${this.#bare},${serverFirst},${unproven}`
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(createHash('sha256').update(clientKey).digest(), said)
    const proof = Buffer.from(clientKey.map((octet, at) => octet ^ signature[at]!))
    this.#expected = hmac(hmac(salted, 'Server Key'), said)
    return Buffer.from(`${unproven},p=${proof.toString('base64')}`)
  }
}

const flagWithout = (binding: Binding | null): string => (binding === null ? 'n' : 'y')

const escaped = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C')

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
