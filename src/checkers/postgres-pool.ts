/** Connections to a PostgreSQL server, a few at a time. The door to pg. */
import { readFile } from 'node:fs/promises'
import type { Pool } from 'pg'
import { optional } from './optional.js'
import { secretIn } from './private-file.js'

export interface PostgresServer {
  /** `postgres://USER@HOST:PORT/DATABASE`, without a password. */
  readonly url: URL
  readonly passwordFile: string | null
  /** TLS with the server's certificate checked. */
  readonly tls: boolean
  readonly caFile: string | null
  readonly timeoutMs: number
}

export type Row = Readonly<Record<string, unknown>>

const CONNECTIONS = 4
const IDLE_MS = 60_000
const PORT = 5432

export class PostgresPool {
  readonly #server: PostgresServer
  #pool: Promise<Pool> | null = null

  constructor(server: PostgresServer) {
    this.#server = server
  }

  /** @throws PackageMissing, or an Error when the server cannot tell */
  async rows(query: string, values: readonly string[]): Promise<readonly Row[]> {
    // One that could not be made is tried anew: its password file may be there by then.
    this.#pool ??= this.#open().catch((error: unknown) => {
      this.#pool = null
      throw error
    })
    const pool = await this.#pool
    const { rows } = await pool.query<Row>(query, [...values])
    return rows
  }

  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => null)
    await pool?.end()
  }

  async #open(): Promise<Pool> {
    const { default: library } = await optional('pg', () => import('pg'))
    const { url, passwordFile, tls, caFile, timeoutMs } = this.#server
    const ca = caFile === null ? {} : { ca: await readFile(caFile) }
    const pool = new library.Pool({
      host: hostOf(url),
      port: url.port === '' ? PORT : Number(url.port),
      user: decodeURIComponent(url.username),
      database: decodeURIComponent(url.pathname.slice(1)),
      // Without a file of ours none is looked for elsewhere, either.
      password: passwordFile === null ? '' : () => secretIn(passwordFile),
      ssl: tls ? { ...ca, rejectUnauthorized: true } : false,
      max: CONNECTIONS,
      idleTimeoutMillis: IDLE_MS,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      statement_timeout: timeoutMs,
      application_name: 'mailtap',
      allowExitOnIdle: true,
    })
    // A connection that breaks while nobody uses it: the next question opens another.
    pool.on('error', () => {})
    return pool
  }
}

/** `?host=/run/postgresql` names the folder of a UNIX socket, as libpq has it. */
function hostOf(url: URL): string {
  return url.searchParams.get('host') ?? url.hostname.replace(/^\[|\]$/g, '')
}
