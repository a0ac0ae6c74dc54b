/** The client's side of SCRAM-SHA-256, written from RFC 5802 section 3 and not from the server. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

export interface ScramClientOptions {
  readonly username: string
  readonly password: string
  readonly nonce?: string
  /** `n,,` unless said otherwise. */
  readonly header?: string
  readonly bindingData?: Buffer
}

export class ScramClient {
  readonly #options: Required<ScramClientOptions>
  #expected = ''

  constructor(options: ScramClientOptions) {
    const defaults = { nonce: 'rOprNGfwEbeRWgbNEkqO', header: 'n,,', bindingData: Buffer.alloc(0) }
    this.#options = { ...defaults, ...options }
  }

  get #bare(): string {
    const name = this.#options.username.replaceAll('=', '=3D').replaceAll(',', '=2C')
    return `n=${name},r=${this.#options.nonce}`
  }

  first(): string {
    return this.#options.header + this.#bare
  }

  final(serverFirst: string): string {
    const [, nonce, salt, count] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst)!
    const { header, bindingData, password } = this.#options
    const binding = Buffer.concat([Buffer.from(header), bindingData]).toString('base64')
    const withoutProof = `c=${binding},r=${nonce}`
    const said = `${this.#bare},${serverFirst},${withoutProof}`
    const salted = pbkdf2Sync(password, Buffer.from(salt!, 'base64'), Number(count), 32, 'sha256')
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(createHash('sha256').update(clientKey).digest(), said)
    const proof = clientKey.map((byte, at) => byte ^ signature[at]!)
    this.#expected = `v=${hmac(hmac(salted, 'Server Key'), said).toString('base64')}`
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`
  }

  /** True if the server's last message proves that it knows the password, too. */
  trusts(serverFinal: string): boolean {
    return serverFinal === this.#expected
  }
}
