/** What `mailtap create` is asked to make, checked as far as that goes without touching a file. */
import { byProtocol, type Listen, PROTOCOLS, type Protocol } from '../src/config/protocols.js'
import { formatAddress, parseAddress, parseDomain } from '../src/mail/address.js'
import { clash } from '../src/net/endpoint.js'
import type { Given } from './command.js'
import { type RelayPlan, relayOf } from './create-relay.js'
import { refuseUnbuilt, checkAuth } from './create-unbuilt.js'
import { checkEndpoint } from './endpoint-option.js'
import { usage } from './exit.js'
import { checkPassword } from './password-input.js'
import { newUserName } from './user-name.js'

export interface CreatePlan {
  readonly output: string
  readonly domains: readonly DomainPlan[]
  /** `null` = the only domain's, if there is one only. */
  readonly defaultDomain: string | null
  readonly hostname: string | null
  /** `null` = beside the config. */
  readonly state: string | null
  readonly auth: readonly string[]
  readonly listen: Listen
  readonly tls: { readonly cert: string; readonly key: string } | null
  /** `null` = no mail to other domains. */
  readonly relay: RelayPlan | null
}

export interface DomainPlan {
  readonly name: string
  /** As typed: relative to the working directory. */
  readonly path: string
  readonly users: UserPlan[]
  bounceToPostmaster: boolean
  /** Who gets mail for unknown local parts; `null` = nobody. */
  catchAll: string | null
  aliases: string | null
}

export interface UserPlan {
  readonly local: string
  /** `null` = to be asked for. */
  readonly password: string | null
}

/** Ports that need no privilege. */
const DEFAULTS: Partial<Listen> = { smtp: ['8025'], pop3: ['8110'] }

/** @throws Failure at the first thing that is wrong, before what is not built yet */
export function planOf(given: Given): CreatePlan {
  const { domains, defaultDomain } = domainsOf(given)
  const plan: CreatePlan = {
    output: given.last('output') ?? 'mailtap.toml',
    domains,
    defaultDomain,
    hostname: hostnameOf(given),
    state: given.last('state'),
    auth: checkAuth(given),
    listen: byProtocol((protocol) => endpointsOf(given, protocol)),
    tls: tlsOf(given),
    relay: relayOf(given),
  }
  refuseClash(plan)
  refuseUnbuilt(given)
  return plan
}

/** `-u -b -C -A -D` belong to the `-d` before them, so the order is kept. */
function domainsOf(given: Given): { domains: DomainPlan[]; defaultDomain: string | null } {
  const domains: DomainPlan[] = []
  let defaultDomain: string | null = null
  for (const { name, value } of given.options) {
    const text = String(value)
    if (name === 'domain') domains.push(domainOf(text, domains))
    if (name === 'user') addUser(lastOf(domains, '-u'), text)
    if (name === 'bounce-to-postmaster') lastOf(domains, '-b').bounceToPostmaster = true
    if (name === 'aliases') lastOf(domains, '-A').aliases = nonEmpty('-A', text)
    if (name === 'catch-all') lastOf(domains, '-C').catchAll = catchAllOf(text)
    if (name === 'default-domain') defaultDomain = lastOf(domains, '-D').name
  }
  for (const { name, bounceToPostmaster, catchAll } of domains) {
    if (bounceToPostmaster && catchAll !== null)
      throw usage(`-b and -C of ${name}: both say where mail for unknown users goes; keep one`)
  }
  if (domains.length > 0) return { domains, defaultDomain }
  throw usage(
    "name at least one domain and its directory: 'mailtap create -d example.com=./Maildir'",
  )
}

function domainOf(text: string, others: readonly DomainPlan[]): DomainPlan {
  const [said, path] = splitOnce(text)
  if (path === null || path === '')
    throw usage(`-d ${text}: write NAME=PATH, such as example.com=./Maildir`)
  const name = parseDomain(said)
  if (name === null) throw usage(`-d ${text}: '${said}' is no domain name`)
  for (const other of others) {
    if (other.name === name) throw usage(`-d ${text}: ${name} is named twice; keep one`)
  }
  return { name, path, users: [], bounceToPostmaster: false, catchAll: null, aliases: null }
}

function catchAllOf(text: string): string {
  const address = parseAddress(text)
  if (address === null) throw usage(`-C ${text}: no address; write name@domain`)
  return formatAddress(address)
}

function addUser({ name: domain, users }: DomainPlan, text: string): void {
  const [name, password] = splitOnce(text)
  const local = newUserName(name)
  if (users.some((user) => user.local === local))
    throw usage(`-u ${name}: ${local}@${domain} is named twice; keep one`)
  users.push({ local, password: password === null ? null : checkPassword(password) })
}

function lastOf(domains: readonly DomainPlan[], option: string): DomainPlan {
  const last = domains.at(-1)
  if (last === undefined)
    throw usage(`${option} belongs to the -d before it; put -d NAME=PATH first`)
  return last
}

function hostnameOf(given: Given): string | null {
  const said = given.last('hostname')
  if (said === null) return null
  const name = parseDomain(said)
  if (name === null) throw usage(`-H ${said}: no host name; write one such as mail.example.com`)
  return name
}

/** `none` alone for no listener. */
function endpointsOf(given: Given, option: Protocol): readonly string[] {
  const said = given.all(option)
  if (said.length === 0) return DEFAULTS[option] ?? []
  if (!said.includes('none')) return said.map((each) => checkEndpoint(option, each))
  if (said.length > 1) throw usage(`--${option} none: no listener, and then one; keep one of both`)
  return []
}

function refuseClash({ listen }: CreatePlan): void {
  const all = PROTOCOLS.flatMap((protocol) => listen[protocol])
  const found = clash(all)
  if (found === null) return
  const [one, other] = [all[found.one]!, all[found.other]!]
  throw usage(
    `two listeners want ${other}${one === other ? '' : ` (${one} takes it)`}; choose another port for one`,
  )
}

function tlsOf(given: Given): CreatePlan['tls'] {
  const cert = given.last('tls-cert')
  const key = given.last('tls-key')
  if (cert === null && key === null) return null
  if (cert === null || key === null) throw usage('--tls-cert and --tls-key go together; give both')
  return { cert: nonEmpty('--tls-cert', cert), key: nonEmpty('--tls-key', key) }
}

function nonEmpty(option: string, text: string): string {
  if (text === '') throw usage(`${option} needs a file`)
  return text
}

/** At the first `=`: neither a domain nor a user's name needs one, a path or a password may. */
function splitOnce(text: string): [before: string, after: string | null] {
  const at = text.indexOf('=')
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}
