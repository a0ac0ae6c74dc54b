/**
 * A SASL exchange as POP3 and SMTP carry it (RFC 5034, RFC 4954): lines of
 * base64, `=` for an empty initial response, `*` to give up. Whoever drives it
 * takes the credentials to the portal and says the outcome.
 */
import type { NamedCredentials } from '../cred/credentials.js'
import { decodeBase64 } from './base64.js'
import type { LoginStep, Mechanism, Step } from './mechanism.js'

/** Octets of a line of the client, its line end not counted (RFC 4954 section 4). */
export const MAX_RESPONSE = 12_288

export type Turn =
  /** To be sent as a challenge; the next line is the response. */
  | { readonly kind: 'challenge'; readonly text: string }
  /** To be taken to the portal; after a login, ask {@link Exchange.proof}. */
  | { readonly kind: 'login'; readonly credentials: NamedCredentials }
  /** It is over. */
  | {
      readonly kind: 'refused'
      readonly fault: 'cancelled' | 'malformed' | 'unauthorized'
      /** For the log. */
      readonly why: string
    }

const CANCELLED: Turn = { kind: 'refused', fault: 'cancelled', why: 'cancelled by the client' }
const NOT_BASE64: Turn = { kind: 'refused', fault: 'malformed', why: 'not base64' }

export class Exchange {
  readonly #mechanism: Mechanism
  #login: LoginStep | null = null

  constructor(mechanism: Mechanism) {
    this.#mechanism = mechanism
  }

  /**
   * @param initial the initial response as it was written, `null` if there was none
   * @throws LoginFailed when the portal cannot tell what the client must know
   */
  async begin(initial: string | null): Promise<Turn> {
    if (initial === null) return this.#turn(await this.#mechanism.start(null))
    const bytes = initial === '=' ? Buffer.alloc(0) : decodeNotEmpty(initial)
    return bytes === null ? NOT_BASE64 : this.#turn(await this.#mechanism.start(bytes))
  }

  /**
   * @param line the response to the last challenge, without its line end
   * @throws LoginFailed as {@link begin}
   */
  async take(line: Buffer): Promise<Turn> {
    const text = line.toString('latin1')
    if (text === '*') return CANCELLED
    const bytes = line.length > MAX_RESPONSE ? null : decodeBase64(text)
    return bytes === null ? NOT_BASE64 : this.#turn(await this.#mechanism.next(bytes))
  }

  /**
   * After a successful login: one more challenge with which the server proves itself,
   * to which the client answers with an empty line. `null` if there is none.
   */
  proof(): string | null {
    return this.#login?.proof()?.toString('base64') ?? null
  }

  #turn(step: Step): Turn {
    if (step.kind === 'refused') return step
    if (step.kind === 'challenge') {
      return { kind: 'challenge', text: step.challenge.toString('base64') }
    }
    this.#login = step
    return { kind: 'login', credentials: step.credentials }
  }
}

/** An argument that is there is not empty: that would be `=`. */
function decodeNotEmpty(text: string): Buffer | null {
  return text === '' ? null : decodeBase64(text)
}
