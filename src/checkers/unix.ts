/**
 * The checker `unix`: the accounts of this machine. Their passwords come from /etc/shadow where that
 * can be read and its hashes can be worked out here, or PAM is asked through saslauthd(8), which may
 * know more of an account than its hash.
 */
import type { Address } from '../mail/address.js'
import { Argument } from './argument.js'
import { type BackEnd, BackEndChecker, type Question } from './back-end.js'
import type { CheckerType, UserChecker } from './checker-type.js'
import { Guard } from './guard.js'
import { type Entry, domainFor, PasswdTable, type TableOptions } from './passwd-table.js'
import { askSaslauthd } from './saslauthd.js'
import { type Accounts, type StoredAccount, StoredAccountsChecker } from './stored-accounts.js'

const SHADOW = '/etc/shadow'
const PASSWD = '/etc/passwd'
/** Below are the accounts of daemons, to which no mail shall be brought. */
const FIRST_UID = 1_000
/** nobody. */
const LAST_UID = 65_533
const SERVICE = 'mailtap'
/** Milliseconds: PAM makes those wait who are wrong. */
const TIMEOUT_MS = 15_000
const DAY_MS = 86_400_000
const KEYS = ['domain', 'passwd', 'saslauthd', 'service', 'timeout']
/** Of shadow(5): name, hash, then numbers; the eighth field is the day on which the account ends. */
const EXPIRES = 7

export const unixType: CheckerType = {
  help: 'the accounts of this machine: /etc/shadow, or PAM through saslauthd',
  argument:
    '[SHADOW][;domain=DOMAIN][;passwd=PATH][;saslauthd=SOCKET[;service=NAME]][;timeout=SECONDS]',
  example: 'unix:;saslauthd=/run/saslauthd/mux',
  kinds: ['password'],
  knowsUsers: true,
  make(text, parts) {
    const argument = new Argument('unix', text, KEYS)
    const domain = domainFor(argument, parts.directory)
    const passwd = argument.file('passwd') ?? PASSWD
    const people = new PasswdTable(options(passwd, parsePasswd, domain, false))
    const socket = argument.file('saslauthd')
    if (socket === null) {
      const shadow = argument.target === '' ? SHADOW : argument.path('the shadow file')
      const table = new PasswdTable(options(shadow, parseShadow, domain, true))
      return passwordsOnly(new StoredAccountsChecker(new UnixAccounts(people, table), parts))
    }
    if (argument.target !== '')
      throw argument.bad('a shadow file and saslauthd= exclude each other')
    const backEnd = new Saslauthd(socket, argument.get('service') ?? SERVICE, people)
    const guard = new Guard('unix', { timeoutMs: argument.timeoutMs(TIMEOUT_MS) })
    return new BackEndChecker(backEnd, parts.directory, guard)
  },
}

function options(
  path: string,
  parse: (line: string) => Entry | null,
  domain: () => string | null,
  secret: boolean,
): TableOptions {
  return { path, parse, domain, privacy: { followLink: !secret, secret } }
}

/** Nothing in /etc/shadow can serve a challenge. */
function passwordsOnly(checker: StoredAccountsChecker): UserChecker {
  return {
    kinds: unixType.kinds,
    users: checker.users,
    requestAvatarId: async (credentials) =>
      credentials.kind === 'password' ? checker.requestAvatarId(credentials) : null,
  }
}

/** Both files must know somebody. */
class UnixAccounts implements Accounts {
  readonly #people: Accounts
  readonly #shadow: Accounts

  constructor(people: Accounts, shadow: Accounts) {
    this.#people = people
    this.#shadow = shadow
  }

  async find(address: Address): Promise<StoredAccount | null> {
    const person = await this.#people.find(address)
    const login = await this.#shadow.find(address)
    return person === null || login === null ? null : { ...login, name: person.name }
  }
}

class Saslauthd implements BackEnd {
  readonly #socket: string
  readonly #service: string
  readonly users: Accounts

  constructor(socket: string, service: string, people: Accounts) {
    this.#socket = socket
    this.#service = service
    this.users = people
  }

  async verify({ address, password, signal }: Question): Promise<boolean> {
    // PAM also knows daemons; nobody reads mail as one of them.
    if ((await this.users.find(address)) === null) return false
    const asked = { user: address.local, password, service: this.#service, realm: '' }
    return askSaslauthd(this.#socket, asked, signal)
  }
}

/** @returns `null` for daemons, and for what is no line of passwd(5) */
export function parsePasswd(line: string): Entry | null {
  const [name = '', , digits = '', , gecos = ''] = line.split(':')
  const uid = /^\d{1,10}$/.test(digits) ? Number(digits) : -1
  if (name === '' || uid < FIRST_UID || uid > LAST_UID) return null
  const person = gecos.split(',')[0] ?? ''
  const account = { password: null, quota: null, disabled: false }
  return { name, account: { ...account, name: person === '' ? null : person } }
}

/** @param ms since 1970 @returns `null` for what is no line of shadow(5) */
export function parseShadow(line: string, ms = Date.now()): Entry | null {
  const fields = line.split(':')
  const [name = '', hash = ''] = fields
  if (name === '' || fields.length < 2) return null
  const days = fields[EXPIRES] ?? ''
  const expired = /^\d{1,6}$/.test(days) && ms >= Number(days) * DAY_MS
  // What bears no mark is the old crypt(3) or nonsense, never the password itself.
  const stored = hash.startsWith('$') ? hash : `{CRYPT}${hash}`
  const locked = hash === '' || /^[!*]/.test(hash)
  return {
    name,
    account: { password: locked ? null : stored, quota: null, name: null, disabled: expired },
  }
}
