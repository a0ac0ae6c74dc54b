/**
 * Options of `create` whose part is not in this version. They are checked like
 * all others, and then refused: a setting that is silently ignored is a lie.
 */
import { parseDomain } from '../src/mail/address.js'
import { isAuthType } from './auth-types.js'
import type { Given } from './command.js'
import { Exit, Failure, notBuilt, usage } from './exit.js'

/** Option, what it is for, and the check of its value. */
const UNBUILT: readonly (readonly [option: string, what: string, check: Check])[] = [
  ['relay', 'relaying to other servers', checkRelay],
  ['relay-password-file', 'relaying to other servers', checkNothing],
  ['uid', 'changing the identity', checkIdentity],
  ['gid', 'changing the identity', checkIdentity],
]

type Check = (option: string, value: string) => void

const RELAY_SCHEMES = ['smtp:', 'smtps:', 'lmtp:']

/** @throws Failure: usage for a bad value, then unavailable for a good one */
export function refuseUnbuilt(given: Given): void {
  for (const [option, , check] of UNBUILT)
    for (const value of given.all(option)) check(option, value)
  for (const [option, what] of UNBUILT) {
    if (given.all(option).some((value) => value !== 'none')) throw notBuilt(`--${option} (${what})`)
  }
}

/** The checkers, in order. @throws Failure */
export function checkAuth(given: Given): string[] {
  const said = given.all('auth')
  for (const checker of said) {
    if (!/^[a-z][a-z0-9-]*(:.*)?$/s.test(checker))
      throw usage(`--auth ${checker}: write TYPE or TYPE:ARGUMENT`)
    const [type = '', argument] = checker.split(/:(.*)/s)
    if (!isAuthType(type)) {
      const what = `--auth ${type} is not in this version; see 'mailtap create --help-auth' for what is`
      throw new Failure(Exit.unavailable, what)
    }
    if (argument !== undefined)
      throw usage(`--auth ${checker}: ${type} takes no argument; write --auth ${type}`)
  }
  return said.length === 0 ? ['directory'] : [...new Set(said)]
}

/** The URL is not shown when it may hold a password. */
function checkRelay(_option: string, value: string): void {
  if (value === 'mx') return
  const form = 'write smtp://[user@]host[:port], smtps://…, lmtp://… or mx'
  const url = URL.canParse(value) ? new URL(value) : null
  if (url === null || !RELAY_SCHEMES.includes(url.protocol)) throw usage(`-R: no relay; ${form}`)
  if (url.password !== '')
    throw usage('-R: no password in the URL, others could see it; use --relay-password-file')
  const extra = url.pathname.length > 1 || url.search !== '' || url.hash !== ''
  const host = url.hostname.startsWith('[') || parseDomain(url.hostname) !== null
  if (extra || (!host && !isAddress(url.hostname))) throw usage(`-R ${value}: no relay; ${form}`)
}

const isAddress = (host: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$/.test(host)

function checkIdentity(option: string, value: string): void {
  if (/^(\d{1,9}|[a-z_][a-z0-9_-]{0,31})$/.test(value)) return
  throw usage(`--${option} ${value}: neither a number nor a name`)
}

function checkNothing(): void {
  // Any file name will do.
}
