/**
 * The checker `oauth`: tokens of a login elsewhere, for OAUTHBEARER and XOAUTH2. Either they are
 * signed and its keys are known (JWT), or the server that gave them out is asked (RFC 7662). Whoever
 * they name must have an account in the directory: a token says who, not that he has mail here.
 */
import type { AvatarId } from '../cred/checker.js'
import type { BearerCredentials, Credentials } from '../cred/credentials.js'
import type { Directory } from '../directory/directory.js'
import { identity } from '../mail/address.js'
import { Argument } from './argument.js'
import { admitted, ownAddress } from './back-end.js'
import type { CheckerType, UserChecker } from './checker-type.js'
import { Guard, GUARD } from './guard.js'
import { post, serviceUrl } from './http-post.js'
import { type Issuer, tokensOf, type VerifyToken } from './jwt.js'
import { secretIn } from './private-file.js'

const OK = 200
const KEYS = ['jwks', 'audience', 'claim', 'introspect', 'client_id', 'secret_file', 'timeout']

type Claims = Readonly<Record<string, unknown>>
/** What a token claims; `null` if it is not good. */
type Inspect = (token: string, signal: AbortSignal) => Promise<Claims | null>

export const oauthType: CheckerType = {
  help: 'tokens of an OAuth or OpenID server: signed (JWT), or asked about (introspection)',
  argument:
    'ISSUER;jwks=URL;audience=TEXT[;claim=email] or ' +
    'ISSUER;introspect=URL;client_id=TEXT;secret_file=PATH[;claim=username][;audience=TEXT]',
  example: 'oauth:https://id.example.com;jwks=https://id.example.com/jwks;audience=mail',
  kinds: ['bearer'],
  knowsUsers: false,
  needs: 'jose',
  make(text, { directory }) {
    const argument = new Argument('oauth', text, KEYS)
    const timeoutMs = argument.timeoutMs(GUARD.timeoutMs)
    const guard = new Guard('oauth', { timeoutMs })
    const asks = argument.get('introspect') !== null
    if (asks && argument.get('jwks') !== null) {
      throw argument.bad('jwks= and introspect= exclude each other')
    }
    const inspect = asks ? introspection(argument) : signatures(issuerOf(argument, timeoutMs))
    const claim = argument.get('claim') ?? (asks ? 'username' : 'email')
    return new OauthChecker({ inspect, claim, directory, guard })
  },
}

interface OauthParts {
  readonly inspect: Inspect
  readonly claim: string
  readonly directory: Directory
  readonly guard: Guard
}

class OauthChecker implements UserChecker {
  readonly kinds = oauthType.kinds
  readonly #parts: OauthParts

  constructor(parts: OauthParts) {
    this.#parts = parts
  }

  async requestAvatarId(credentials: Credentials): Promise<AvatarId | null> {
    if (credentials.kind !== 'bearer') return null
    const { inspect, guard } = this.#parts
    const ask = (signal: AbortSignal): Promise<Claims | null> => inspect(credentials.token, signal)
    const claims = await guard.run(ask, credentials.peer.address)
    return claims === null ? null : this.#named(claims, credentials)
  }

  async #named(claims: Claims, { username }: BearerCredentials): Promise<AvatarId | null> {
    const { claim, directory } = this.#parts
    const name = claims[claim]
    // An address that nobody has verified may be somebody else's.
    const doubtful = claim === 'email' && claims['email_verified'] === false
    if (typeof name !== 'string' || doubtful) return null
    const address = await ownAddress(directory, name)
    if (address === null) return null
    const wanted = username === '' ? address : await ownAddress(directory, username)
    if (wanted === null || identity(wanted) !== identity(address)) return null
    return admitted(directory, address, false)
  }
}

/** @throws BadChecker */
function issuerOf(argument: Argument, timeoutMs: number): Issuer {
  serviceUrl(argument, argument.target)
  const jwks = serviceUrl(argument, argument.needed('jwks'))
  // As it is written: the issuer of a token is compared letter by letter.
  return { name: argument.target, jwks, audience: argument.needed('audience'), timeoutMs }
}

function signatures(issuer: Issuer): Inspect {
  let verify: Promise<VerifyToken> | null = null
  return async (token) => {
    verify ??= tokensOf(issuer).catch((error: unknown) => {
      verify = null
      throw error
    })
    return (await verify)(token)
  }
}

/** @throws BadChecker */
function introspection(argument: Argument): Inspect {
  const url = serviceUrl(argument, argument.needed('introspect'))
  const client = encodeURIComponent(argument.needed('client_id'))
  const secretFile = argument.file('secret_file')
  if (secretFile === null) throw argument.bad('secret_file= is missing')
  const audience = argument.get('audience')
  return async (token, signal) => {
    const secret = encodeURIComponent(await secretIn(secretFile))
    const { status, body } = await post({
      url,
      type: 'application/x-www-form-urlencoded',
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`,
      signal,
    })
    if (status !== OK) throw new Error(`the token server answered with HTTP status ${status}`)
    const claims = claimsFrom(body)
    return claims['active'] === true && isFor(claims, audience, Date.now()) ? claims : null
  }
}

/** RFC 7662 section 4: what the answer says of the token is to be looked at, too. */
function isFor({ aud, exp }: Claims, audience: string | null, ms: number): boolean {
  const over = typeof exp === 'number' && exp * 1000 <= ms
  return !over && (audience === null || [aud].flat().includes(audience))
}

/** @throws Error unless it says whether the token is good */
function claimsFrom(body: string): Claims {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null && 'active' in value) {
      if (typeof value.active === 'boolean') return { ...value }
    }
  } catch {
    // The same as an answer that does not say it.
  }
  throw new Error('the token server answered with something else than RFC 7662 says')
}
