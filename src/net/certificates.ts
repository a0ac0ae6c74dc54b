/** Chooses the certificate by the name that the client asks for (SNI, RFC 6066 section 3). */
import type { SecureContext } from 'node:tls'
import type { Certificate } from './certificate.js'

/** What the client calls the server; anything else is no name of ours, whatever it is. */
const SERVER_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}$/
const WILDCARD = '*.'

export class Certificates {
  /** For clients that ask for no name, or for none of ours. */
  readonly otherwise: SecureContext
  /** By name; those that begin with `*.` among them. */
  readonly #byName = new Map<string, SecureContext>()

  /** @param others of two certificates with one name the earlier counts, and `first` before all */
  constructor(first: Certificate, others: readonly Certificate[]) {
    this.otherwise = first.context
    for (const { context, names } of [first, ...others]) {
      for (const name of names) if (!this.#byName.has(name)) this.#byName.set(name, context)
    }
  }

  /** The whole name counts for more than a wildcard (RFC 6125 section 6.4). Takes any text. */
  choose(serverName: string): SecureContext {
    if (!SERVER_NAME.test(serverName)) return this.otherwise
    const name = serverName.toLowerCase()
    const wildcard = `${WILDCARD}${name.slice(name.indexOf('.') + 1)}`
    const own = this.#byName.get(name)
    return own ?? (name.includes('.') ? this.#byName.get(wildcard) : null) ?? this.otherwise
  }
}
