/**
 * CRAM-MD5 (RFC 2195): the client proves that it knows the secret, which the
 * server must then store in clear. For old mail programs; SCRAM needs no such thing.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  challenge,
  login,
  malformed,
  type Mechanism,
  type Step,
  type Surroundings,
} from './mechanism.js'
import { clientText, MAX_NAME } from './text.js'

/** A space and an MD5 in lower-case hexadecimal. */
const TAIL_OCTETS = 33
const TAIL = /^ [0-9a-f]{32}$/

export class CramMd5 implements Mechanism {
  readonly #surroundings: Surroundings
  readonly #challenge: string

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.#challenge = `<${surroundings.nonce()}@${surroundings.hostname}>`
  }

  start(initial: Buffer | null): Step {
    // RFC 5034 section 4, RFC 4954 section 4: the server speaks first.
    return initial === null ? challenge(this.#challenge) : malformed('an initial response')
  }

  next(response: Buffer): Step {
    const parts = parseCramMd5(response)
    if (parts === null) return malformed('not a name and a digest')
    const { username, digest } = parts
    const verify = (secret: string): boolean => {
      const expected = createHmac('md5', secret).update(this.#challenge).digest()
      return timingSafeEqual(expected, digest)
    }
    return login({ kind: 'secret', peer: this.#surroundings.peer, username, verify })
  }
}

/** The name may hold spaces: the digest is what follows the last one. */
export function parseCramMd5(response: Buffer): { username: string; digest: Buffer } | null {
  const at = Math.max(response.length - TAIL_OCTETS, 0)
  const tail = response.toString('latin1', at)
  const username = clientText(response.subarray(0, at), MAX_NAME)
  if (!TAIL.test(tail) || username === null) return null
  return { username, digest: Buffer.from(tail.slice(1), 'hex') }
}
