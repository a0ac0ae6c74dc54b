/** The SASL mechanisms by name: which can be offered on a connection, and a new exchange of one of them. */
import type { Kind } from '../cred/credentials.js'
import { CramMd5 } from './cram-md5.js'
import { Exchange } from './exchange.js'
import { AuthLogin } from './login.js'
import type { Mechanism, Surroundings } from './mechanism.js'
import { OauthBearer, Xoauth2 } from './oauth.js'
import { Plain } from './plain.js'
import { Scram } from './scram.js'

/** What the server and the connection allow. */
export interface Allowed {
  /** Passwords may be sent as they are. */
  readonly plaintext: boolean
  /** Challenges that need a secret stored in clear. */
  readonly secrets: boolean
  /** True if somebody can judge this kind: the portal's `accepts`. */
  accepts(kind: Kind): boolean
}

/** RFC 9266, RFC 5929: each connection with TLS has at least one of them, or no PLUS. */
const BINDING_TYPES = ['tls-exporter', 'tls-server-end-point', 'tls-unique']

interface Entry {
  readonly offered: (allowed: Allowed, surroundings: Surroundings) => boolean
  readonly make: (surroundings: Surroundings) => Mechanism
}

/** The strongest first: many clients take the first that they know. */
const ENTRIES: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  [
    'SCRAM-SHA-256-PLUS',
    {
      offered: (allowed, surroundings) => allowed.accepts('scram') && canBind(surroundings),
      make: (surroundings) => new Scram(surroundings, { plus: true, plusOffered: true }),
    },
  ],
  [
    'SCRAM-SHA-256',
    {
      offered: (allowed) => allowed.accepts('scram'),
      make: (surroundings) =>
        new Scram(surroundings, { plus: false, plusOffered: canBind(surroundings) }),
    },
  ],
  [
    'CRAM-MD5',
    {
      offered: (allowed) => allowed.secrets && allowed.accepts('secret'),
      make: (surroundings) => new CramMd5(surroundings),
    },
  ],
  ['PLAIN', { offered: passwords, make: (surroundings) => new Plain(surroundings) }],
  ['LOGIN', { offered: passwords, make: (surroundings) => new AuthLogin(surroundings) }],
  // Last: a client with a token looks for them, one with a password must not stop here.
  ['OAUTHBEARER', { offered: tokens, make: (surroundings) => new OauthBearer(surroundings) }],
  ['XOAUTH2', { offered: tokens, make: (surroundings) => new Xoauth2(surroundings) }],
])

/** Names of the mechanisms that a client may choose now, the strongest first. */
export function offeredMechanisms(allowed: Allowed, surroundings: Surroundings): string[] {
  return [...ENTRIES]
    .filter(([, { offered }]) => offered(allowed, surroundings))
    .map(([name]) => name)
}

/** A new exchange. @param name in any case @returns `null` unless the mechanism is offered */
export function beginExchange(
  name: string,
  allowed: Allowed,
  surroundings: Surroundings,
): Exchange | null {
  const entry = ENTRIES.get(name.toUpperCase())
  if (entry === undefined || !entry.offered(allowed, surroundings)) return null
  return new Exchange(entry.make(surroundings))
}

function passwords(allowed: Allowed): boolean {
  return allowed.plaintext && allowed.accepts('password')
}

/** Whoever sees a token can use it: it is as much of a secret as a password. */
function tokens(allowed: Allowed): boolean {
  return allowed.plaintext && allowed.accepts('bearer')
}

function canBind(surroundings: Surroundings): boolean {
  return BINDING_TYPES.some((type) => surroundings.channelBinding(type) !== null)
}
