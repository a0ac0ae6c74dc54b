/** Tokens that say themselves who somebody is and since when, signed by an issuer (RFC 7519). The door to jose. */
import type { JWTPayload } from 'jose'
import { optional } from './optional.js'

export interface Issuer {
  readonly name: string
  /** Where its keys are (RFC 7517). */
  readonly jwks: URL
  readonly audience: string
  readonly timeoutMs: number
}

/** With a key of both sides, whoever can check tokens could make some. */
const ALGORITHMS = [
  ['RS256', 'RS384', 'RS512'],
  ['PS256', 'PS384', 'PS512'],
  ['ES256', 'ES384', 'ES512', 'EdDSA'],
].flat()
/** Seconds by which two clocks may differ. */
const TOLERANCE = 30
/** Milliseconds before an unknown key makes us ask again. */
const COOLDOWN_MS = 30_000
/** What jose calls a token that is not good, or is none. */
const REFUSALS: ReadonlySet<string> = new Set([
  'ERR_JWT_EXPIRED',
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWT_INVALID',
  'ERR_JWS_INVALID',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
])

/** What the token claims; `null` if it is not good. */
export type VerifyToken = (token: string) => Promise<JWTPayload | null>

/** @throws PackageMissing; the function that it gives throws when the keys cannot be had */
export async function tokensOf(issuer: Issuer): Promise<VerifyToken> {
  const { createRemoteJWKSet, jwtVerify } = await optional('jose', () => import('jose'))
  const { name, jwks, audience, timeoutMs } = issuer
  const keys = createRemoteJWKSet(jwks, {
    timeoutDuration: timeoutMs,
    cooldownDuration: COOLDOWN_MS,
  })
  const options = {
    issuer: name,
    audience,
    algorithms: ALGORITHMS,
    clockTolerance: TOLERANCE,
    requiredClaims: ['exp'],
  }
  return async (token) => {
    try {
      return (await jwtVerify(token, keys, options)).payload
    } catch (error) {
      if (REFUSALS.has(String((error as { code?: unknown }).code))) return null
      throw error
    }
  }
}
