/**
 * The checker `ldap`: finds the user's entry and binds as it with the password, or compares an
 * attribute with it. Without TLS only on this machine.
 */
import { readFile } from 'node:fs/promises'
import type { KnownUser } from '../directory/directory.js'
import { type Address, formatAddress } from '../mail/address.js'
import { parseQuota } from '../mail/quota.js'
import { Argument } from './argument.js'
import { type AskedUsers, type BackEnd, BackEndChecker, type Question } from './back-end.js'
import type { CheckerType } from './checker-type.js'
import { Guard, GUARD } from './guard.js'
import { type Found, LdapConnection, type LdapServer } from './ldap-connection.js'
import { secretIn } from './private-file.js'
import { isThisMachine } from './this-machine.js'

const KEYS = [
  'base',
  'filter',
  'bind_dn',
  'password_file',
  'mode',
  'attribute',
  'quota',
  'name',
  'starttls',
  'ca',
  'timeout',
]
const FILTER = '(mail=%u)'

export const ldapType: CheckerType = {
  help: 'an LDAP server: bind as the user, or compare an attribute',
  argument:
    'URL;base=DN[;filter=FILTER][;bind_dn=DN;password_file=PATH][;mode=bind|compare]' +
    '[;attribute=NAME][;quota=NAME][;name=NAME][;starttls=no|yes][;ca=PATH][;timeout=SECONDS]',
  example: 'ldap:ldaps://ldap.example.com;base=ou=people,dc=example,dc=com;filter=(mail=%u)',
  kinds: ['password'],
  knowsUsers: true,
  needs: 'ldapts',
  make(text, { directory }) {
    const argument = new Argument('ldap', text, KEYS)
    const settings = settingsOf(argument)
    const guard = new Guard('ldap', { timeoutMs: settings.timeoutMs })
    return new BackEndChecker(new LdapBackEnd(settings), directory, guard)
  },
}

interface Settings extends Omit<LdapServer, 'ca'> {
  readonly base: string
  /** `%u` the address, `%n` the part before the @, `%d` the domain. */
  readonly filter: string
  readonly bindDn: string | null
  readonly passwordFile: string | null
  readonly caFile: string | null
  readonly mode: 'bind' | 'compare'
  readonly attribute: string
  readonly quota: string | null
  readonly name: string
}

/** @throws BadChecker */
function settingsOf(argument: Argument): Settings {
  const startTls = argument.word('starttls', ['no', 'yes']) === 'yes'
  const bindDn = argument.get('bind_dn')
  const passwordFile = argument.file('password_file')
  if ((bindDn === null) !== (passwordFile === null)) {
    throw argument.bad('bind_dn= and password_file= belong together')
  }
  return {
    url: urlOf(argument, startTls),
    startTls,
    caFile: argument.file('ca'),
    timeoutMs: argument.timeoutMs(GUARD.timeoutMs),
    base: argument.needed('base'),
    filter: argument.get('filter') ?? FILTER,
    bindDn,
    passwordFile,
    mode: argument.word('mode', ['bind', 'compare']),
    attribute: argument.get('attribute') ?? 'userPassword',
    quota: argument.get('quota'),
    name: argument.get('name') ?? 'cn',
  }
}

function urlOf(argument: Argument, startTls: boolean): string {
  const { target } = argument
  const url = URL.canParse(target) ? new URL(target) : null
  const good = url !== null && /^ldaps?:\/\/[^/@?#]+\/?$/.test(target)
  if (!good) throw argument.bad('write ldaps://HOST or ldap://HOST[:PORT] after the colon')
  if (url.protocol === 'ldaps:' && startTls) throw argument.bad('ldaps:// needs no starttls=yes')
  if (url.protocol === 'ldaps:' || startTls || isThisMachine(url.hostname)) return target
  throw argument.bad('passwords go over ldaps:// or with starttls=yes, except on this machine')
}

class LdapBackEnd implements BackEnd {
  readonly #settings: Settings
  readonly users: AskedUsers = { find: (address) => this.#find(address) }

  constructor(settings: Settings) {
    this.#settings = settings
  }

  verify({ address, password, signal }: Question): Promise<boolean> {
    return this.#connected(async (connection) => {
      const { mode, attribute, base } = this.#settings
      const found = await this.#entry(connection, address, ['1.1'])
      signal.throwIfAborted()
      // Whoever is not there takes as many questions as whoever is.
      const dn = found?.dn ?? `cn=nobody,${base}`
      const good =
        mode === 'bind'
          ? await connection.bind(dn, password)
          : await connection.compare(dn, attribute, password)
      return good && found !== null
    })
  }

  #find(address: Address): Promise<KnownUser | null> {
    const { quota, name } = this.#settings
    const wanted = quota === null ? [name] : [name, quota]
    return this.#connected(async (connection) => {
      const found = await this.#entry(connection, address, wanted)
      return found === null ? null : knownFrom(found, name, quota)
    })
  }

  #entry(
    connection: LdapConnection,
    address: Address,
    attributes: readonly string[],
  ): Promise<Found | null> {
    const { base, filter } = this.#settings
    return connection.only(base, filledIn(filter, address), attributes)
  }

  /** A connection for one question: a bind changes who it speaks for. */
  async #connected<T>(use: (connection: LdapConnection) => Promise<T>): Promise<T> {
    const { caFile, bindDn, passwordFile } = this.#settings
    const ca = caFile === null ? null : await readFile(caFile)
    const connection = await LdapConnection.open({ ...this.#settings, ca })
    try {
      if (bindDn !== null && passwordFile !== null) {
        const good = await connection.bind(bindDn, await secretIn(passwordFile))
        if (!good) throw new Error('the LDAP server refuses bind_dn with the password in its file')
      }
      return await use(connection)
    } finally {
      await connection.close()
    }
  }
}

function knownFrom(found: Found, name: string, quota: string | null): KnownUser {
  const text = quota === null ? null : found.value(quota)
  const limit = text === null ? null : parseQuota(text)
  if (text !== null && limit === null) throw new Error(`${found.dn}: ${quota} is no quota`)
  return { quota: limit, name: found.value(name), disabled: false }
}

/** The filter for one address; nothing in an address can change what it means (RFC 4515 section 3). */
export function filledIn(filter: string, address: Address): string {
  const values: Readonly<Record<string, string>> = {
    u: formatAddress(address),
    n: address.local,
    d: address.domain,
  }
  return filter.replace(/%([und])/g, (_, letter: string) => escaped(values[letter] ?? ''))
}

function escaped(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- these are what must not stand there
    /[\u0000-\u001f\\*()]/g,
    (sign) => `\\${sign.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
