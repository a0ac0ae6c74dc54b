/** One connection to an LDAP server (RFC 4511), in the few words that the checker needs. The door to ldapts. */
import type { Client, Entry } from 'ldapts'
import { optional } from './optional.js'

export interface LdapServer {
  /** `ldap://…` or `ldaps://…`, host and port only. */
  readonly url: string
  /** TLS is begun on a connection that was opened without (RFC 4511 section 4.14). */
  readonly startTls: boolean
  /** Certificates in PEM that the server's must go back to; `null` = those of the system. */
  readonly ca: Buffer | null
  readonly timeoutMs: number
}

export interface Found {
  readonly dn: string
  /** The first value of an attribute; `null` if there is none. */
  value(attribute: string): string | null
}

/** Of a bind (RFC 4511 appendix A): these say no, all others that nobody can tell. */
const REFUSALS: ReadonlySet<number> = new Set([32, 48, 49])
/** Of a comparison: no such attribute, no such object. */
const MISSING: ReadonlySet<number> = new Set([16, 32])
/** One is enough, two are too many. */
const SIZE_LIMIT = 2

export class LdapConnection {
  readonly #client: Client

  private constructor(client: Client) {
    this.#client = client
  }

  /** @throws PackageMissing, or an Error when nobody answers there as he should */
  static async open({ url, startTls, ca, timeoutMs }: LdapServer): Promise<LdapConnection> {
    const library = await optional('ldapts', () => import('ldapts'))
    const tls = ca === null ? {} : { ca }
    const client = new library.Client({
      url,
      timeout: timeoutMs,
      connectTimeout: timeoutMs,
      ...(url.startsWith('ldaps:') ? { tlsOptions: tls } : {}),
    })
    const connection = new LdapConnection(client)
    try {
      if (startTls) await client.startTLS({ ...tls, host: new URL(url).hostname })
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  /** @param password not empty: that would be a bind as nobody, which succeeds @returns false on a wrong one */
  async bind(dn: string, password: string): Promise<boolean> {
    if (password === '') return false
    return said(this.#client.bind(dn, password), REFUSALS)
  }

  /** @throws Error when there is more than one such entry */
  async only(base: string, filter: string, attributes: readonly string[]): Promise<Found | null> {
    const { searchEntries } = await this.#client.search(base, {
      scope: 'sub',
      filter,
      attributes: [...attributes],
      sizeLimit: SIZE_LIMIT,
    })
    const [entry, ...others] = searchEntries
    if (others.length > 0) throw new Error('the filter finds more than one entry for an address')
    return entry === undefined ? null : { dn: entry.dn, value: (name) => valueOf(entry, name) }
  }

  /** True if the attribute has that very value. */
  async compare(dn: string, attribute: string, value: string): Promise<boolean> {
    let equal = false
    const asked = this.#client.compare(dn, attribute, value).then((answer) => (equal = answer))
    return (await said(asked, MISSING)) && equal
  }

  async close(): Promise<void> {
    // It may be closed already, or never have been open.
    await this.#client.unbind().catch(() => {})
  }
}

/** @returns false on one of the codes that mean no */
async function said(answer: Promise<unknown>, noes: ReadonlySet<number>): Promise<boolean> {
  try {
    await answer
    return true
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (typeof code === 'number' && noes.has(code)) return false
    throw error
  }
}

function valueOf(entry: Entry, name: string): string | null {
  const [value] = [entry[name]].flat()
  return value === undefined || value.length === 0 ? null : value.toString()
}
