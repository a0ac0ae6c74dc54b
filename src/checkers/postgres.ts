/**
 * The checker `postgres`: a query that gives the stored password of an address. `$1` is the address,
 * `$2` the part before the @, `$3` the domain; the columns that count are `password` and, if they are
 * there, `quota`, `name` and `disabled`.
 */
import { type Address, formatAddress } from '../mail/address.js'
import { parseQuota, type Quota } from '../mail/quota.js'
import { Argument } from './argument.js'
import type { CheckerType } from './checker-type.js'
import { Guard, GUARD } from './guard.js'
import { PostgresPool, type PostgresServer, type Row } from './postgres-pool.js'
import { type Accounts, type StoredAccount, StoredAccountsChecker } from './stored-accounts.js'
import { isThisMachine } from './this-machine.js'

const PARAMETER = /\$([1-9]\d*)/g
const MAX_PARAMETER = 3

export const postgresType: CheckerType = {
  help: 'a PostgreSQL server: a query that gives the stored password of an address',
  argument: 'URL;query=SQL[;password_file=PATH][;ca=PATH][;timeout=SECONDS]',
  example:
    'postgres:postgres://mail@db.example.com/mail;password_file=/etc/mailtap/sql;' +
    'query=SELECT password, quota FROM users WHERE address = $1',
  kinds: ['password', 'secret', 'scram'],
  knowsUsers: true,
  needs: 'pg',
  make(text, parts) {
    const argument = new Argument('postgres', text, ['query', 'password_file', 'ca', 'timeout'])
    const server = serverOf(argument)
    const accounts = new PostgresAccounts(server, queryOf(argument))
    return new StoredAccountsChecker(accounts, parts)
  },
}

/** @throws BadChecker */
function serverOf(argument: Argument): PostgresServer {
  const url = URL.canParse(argument.target) ? new URL(argument.target) : null
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol) || url.username === '') {
    throw argument.bad('write postgres://USER@HOST/DATABASE after the colon')
  }
  if (url.password !== '') {
    throw argument.bad('the URL must hold no password: everybody could see it; use password_file=')
  }
  const near = isThisMachine(url.hostname) || url.searchParams.get('host')?.startsWith('/') === true
  return {
    url,
    passwordFile: argument.file('password_file'),
    tls: !near,
    caFile: argument.file('ca'),
    timeoutMs: argument.timeoutMs(GUARD.timeoutMs),
  }
}

interface Query {
  readonly text: string
  /** The highest parameter in it. */
  readonly parameters: number
}

/** @throws BadChecker */
function queryOf(argument: Argument): Query {
  const text = argument.needed('query')
  const named = [...text.matchAll(PARAMETER)].map(([, digits]) => Number(digits))
  const parameters = Math.max(0, ...named)
  if (parameters > 0 && parameters <= MAX_PARAMETER) return { text, parameters }
  throw argument.bad('query= must use $1 (address), and may use $2 (before the @) and $3 (domain)')
}

class PostgresAccounts implements Accounts {
  readonly #pool: PostgresPool
  readonly #query: Query
  readonly #guard: Guard

  constructor(server: PostgresServer, query: Query) {
    this.#pool = new PostgresPool(server)
    this.#query = query
    this.#guard = new Guard('postgres', { timeoutMs: server.timeoutMs })
  }

  find(address: Address): Promise<StoredAccount | null> {
    return this.#guard.run(async () => {
      const { text, parameters } = this.#query
      const { local, domain } = address
      const values = [formatAddress(address), local, domain].slice(0, parameters)
      // PostgreSQL's texts hold no NUL; nobody has such a name.
      if (values.some((value) => value.includes('\0'))) return null
      return accountFrom(await this.#pool.rows(text, values))
    })
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}

/** @throws Error on rows that mean no account, or several */
function accountFrom(rows: readonly Row[]): StoredAccount | null {
  const [row, ...others] = rows
  if (row === undefined) return null
  if (others.length > 0) throw new Error('the query gives more than one row for an address')
  const { password, name = null, disabled = null } = row
  if (password === undefined) throw new Error('the query gives no column password')
  if (password !== null && typeof password !== 'string') {
    throw new Error('the column password is no text')
  }
  if (disabled !== null && typeof disabled !== 'boolean') {
    throw new Error('the column disabled is neither true nor false')
  }
  return {
    password: storedFrom(password),
    quota: quotaFrom(row['quota'] ?? null),
    name: typeof name === 'string' ? name : null,
    disabled: disabled ?? false,
  }
}

/** What bears no mark of a scheme would be a password in clear; `{PLAIN}` says so where that is meant. */
function storedFrom(password: string | null): string | null {
  return password === null || password === '' || password.startsWith('!') ? null : password
}

/** Octets as a number, or the text of a quota. */
function quotaFrom(value: unknown): Quota | null {
  if (value === null) return null
  const text = typeof value === 'number' || typeof value === 'bigint' ? `${value}` : value
  if (typeof text !== 'string') throw new Error('the column quota is no quota')
  const quota = /^\d{1,15}$/.test(text)
    ? { bytes: Number(text) || null, messages: null }
    : parseQuota(text)
  if (quota === null) throw new Error('the column quota is no quota')
  return quota
}
