/**
 * Logins with a token instead of a password: OAUTHBEARER (RFC 7628) and XOAUTH2, which Google made
 * before it and many mail programs still speak. Both are one message; what is wrong with a token the
 * client hears as with a password, by the protocol's own no.
 */
import {
  challenge,
  login,
  malformed,
  type Mechanism,
  type Step,
  type Surroundings,
  unauthorized,
} from './mechanism.js'
import { clientText, MAX_NAME, utf8 } from './text.js'

export interface BearerMessage {
  /** Empty if nobody was named. */
  readonly username: string
  readonly token: string
}

/** Octets of a message: a token with many claims has room. */
const MAX_MESSAGE = 9_216
const SEPARATOR = '\u0001'
/** RFC 7628 section 3.1 takes its head from RFC 5801; a comma and an equals sign are escaped. */
const HEADER = /^([ny]|p=[A-Za-z0-9.-]{1,64}),(?:a=((?:[^=,]|=2C|=3D)+))?,$/
/** RFC 6750 section 2.1. */
const BEARER = /^Bearer ([A-Za-z0-9._~+/-]{1,8192}=*)$/i
const MAX_PAIRS = 16

abstract class OneMessage implements Mechanism {
  readonly #surroundings: Surroundings

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  protected abstract parse(message: string): BearerMessage | string

  start(initial: Buffer | null): Step {
    return initial === null ? challenge('') : this.next(initial)
  }

  next(bytes: Buffer): Step {
    const text = bytes.length > MAX_MESSAGE ? null : utf8(bytes)
    if (text === null) return malformed('too long, or not UTF-8')
    const message = this.parse(text)
    if (message === NO_BINDING) return unauthorized(NO_BINDING)
    if (typeof message === 'string') return malformed(message)
    return login({ kind: 'bearer', peer: this.#surroundings.peer, ...message })
  }
}

const NO_BINDING = 'asked for a channel binding, which this mechanism does not have here'

export class OauthBearer extends OneMessage {
  protected parse(text: string): BearerMessage | string {
    return parseOauthBearer(text)
  }
}

export class Xoauth2 extends OneMessage {
  protected parse(text: string): BearerMessage | string {
    return parseXoauth2(text)
  }
}

/** @returns what is wrong, in words, if it is no such message */
export function parseOauthBearer(text: string): BearerMessage | string {
  const [head = '', ...rest] = text.split(SEPARATOR)
  const [, flag, name = ''] = HEADER.exec(head) ?? []
  if (flag === undefined) return 'not a message of OAUTHBEARER'
  if (flag.startsWith('p')) return NO_BINDING
  const username = name.replace(/=2C|=3D/g, (escaped) => (escaped === '=2C' ? ',' : '='))
  return fromPairs(rest, username)
}

/** @returns what is wrong, in words, if it is no such message */
export function parseXoauth2(text: string): BearerMessage | string {
  const [head = '', ...rest] = text.split(SEPARATOR)
  if (!head.startsWith('user=')) return 'not a message of XOAUTH2'
  return fromPairs(rest, head.slice('user='.length))
}

/** Ends in two separators: so the last two pieces are empty. */
function fromPairs(pieces: readonly string[], username: string): BearerMessage | string {
  const pairs = pieces.slice(0, -2)
  const ended = pieces.length >= 2 && pieces.at(-1) === '' && pieces.at(-2) === ''
  if (!ended || pairs.length > MAX_PAIRS) return 'does not end as it should'
  const auth = pairs.filter((pair) => pair.startsWith('auth='))
  const [, token] = BEARER.exec(auth[0]?.slice('auth='.length) ?? '') ?? []
  if (auth.length !== 1 || token === undefined) return 'holds no bearer token'
  const named = username === '' || clientText(Buffer.from(username), MAX_NAME) !== null
  return named ? { username, token } : 'that can be no name'
}
