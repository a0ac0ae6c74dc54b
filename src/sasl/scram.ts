/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): both sides prove
 * that they know the password, neither sends it, and what the server stores is
 * not enough to log in. PLUS also proves that there is nobody in between.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { ScramKeys } from '../cred/scram.js'
import {
  challenge,
  malformed,
  type Mechanism,
  type Step,
  type Surroundings,
  unauthorized,
} from './mechanism.js'
import {
  type ClientFinal,
  type ClientFirst,
  parseClientFinal,
  parseClientFirst,
} from './scram-messages.js'

export interface ScramOptions {
  /** The client chose the PLUS mechanism. */
  readonly plus: boolean
  /** The PLUS mechanism was offered on this connection. */
  readonly plusOffered: boolean
}

/** What the first message settled. */
interface Agreed {
  readonly first: ClientFirst
  readonly nonce: string
  readonly serverFirst: string
  /** What the final message must repeat. */
  readonly binding: Buffer
}

export class Scram implements Mechanism {
  readonly #surroundings: Surroundings
  readonly #options: ScramOptions
  #agreed: Agreed | null = null

  constructor(surroundings: Surroundings, options: ScramOptions) {
    this.#surroundings = surroundings
    this.#options = options
  }

  start(initial: Buffer | null): Step | Promise<Step> {
    return initial === null ? challenge('') : this.next(initial)
  }

  next(message: Buffer): Step | Promise<Step> {
    const agreed = this.#agreed
    if (agreed === null) return this.#first(message)
    const final = parseClientFinal(message)
    return final === null ? malformed('not a final message of SCRAM') : this.#final(agreed, final)
  }

  async #first(message: Buffer): Promise<Step> {
    const first = parseClientFirst(message)
    if (first === null) return malformed('not a first message of SCRAM')
    const obstacle = obstacleTo(first, this.#options)
    if (obstacle !== null) return unauthorized(obstacle)
    const data = this.#bindingData(first)
    if (data === null) return unauthorized('unsupported channel binding type')
    const { salt, iterations } = await this.#surroundings.scramChallenge(first.username)
    const nonce = first.nonce + this.#surroundings.nonce()
    const serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
    const binding = Buffer.concat([Buffer.from(first.header), data])
    this.#agreed = { first, nonce, serverFirst, binding }
    return challenge(serverFirst)
  }

  #final(agreed: Agreed, final: ClientFinal): Step {
    if (final.nonce !== agreed.nonce) return unauthorized('another nonce')
    if (!final.binding.equals(agreed.binding)) return unauthorized('another channel binding')
    const { first, serverFirst } = agreed
    const proof = new Proof(final.proof, `${first.bare},${serverFirst},${final.withoutProof}`)
    const { peer } = this.#surroundings
    const verify = (keys: ScramKeys): boolean => proof.verify(keys)
    return {
      kind: 'login',
      credentials: { kind: 'scram', peer, username: first.username, verify },
      proof: () => proof.ofServer(),
    }
  }

  /** @returns `null` if the client wants a binding that this connection does not have */
  #bindingData({ bindingType }: ClientFirst): Buffer | null {
    if (bindingType === null) return Buffer.alloc(0)
    return this.#surroundings.channelBinding(bindingType)
  }
}

/** Why the first message settles the matter; `null` if it does not. */
function obstacleTo(first: ClientFirst, { plus, plusOffered }: ScramOptions): string | null {
  const { flag, authorizeAs, username } = first
  if (authorizeAs !== null && authorizeAs !== username) return 'asked to act as somebody else'
  if (plus !== (flag === 'p')) return 'channel binding and mechanism do not agree'
  // RFC 5802 section 6: it did not see what we offered, so somebody may have changed the list.
  if (flag === 'y' && plusOffered) return 'the client was kept from seeing the PLUS mechanism'
  return null
}

/** RFC 5802 section 3: what was said, signed by whoever knows the password. */
class Proof {
  readonly #proof: Buffer
  readonly #said: string
  #serverSignature: Buffer | null = null

  constructor(proof: Buffer, said: string) {
    this.#proof = proof
    this.#said = said
  }

  verify({ storedKey, serverKey }: ScramKeys): boolean {
    const signature = this.#signedWith(storedKey)
    const clientKey = this.#proof.map((byte, at) => byte ^ signature[at]!)
    const good = timingSafeEqual(createHash('sha256').update(clientKey).digest(), storedKey)
    if (good) this.#serverSignature = this.#signedWith(serverKey)
    return good
  }

  /** `null` before a successful {@link verify}. */
  ofServer(): Buffer | null {
    const signature = this.#serverSignature
    return signature && Buffer.from(`v=${signature.toString('base64')}`)
  }

  #signedWith(key: Buffer): Buffer {
    return createHmac('sha256', key).update(this.#said).digest()
  }
}
