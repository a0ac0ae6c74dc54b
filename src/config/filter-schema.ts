/** The form of `[filter]` in mailtap.toml, and what its texts mean. */
import { isIP } from 'node:net'
import { parseDomain } from '../mail/address.js'
import { formatOctets } from '../mail/octets.js'
import {
  DEFAULT_FILTERS,
  type DnsListConfig,
  type FilterConfig,
  type MilterEndpoint,
} from './filter-config.js'
import { choice, expects, parsed, size, table, truth, wholeNumber, z } from './forms.js'

/** Octets: below it honest mail is refused; above it one message takes too much memory. */
const MIN_HEADER = 16 * 1024
const MAX_HEADER = 64 * 1024 * 1024
const HEADER_SIZE = expects(
  `a size from ${formatOctets(MIN_HEADER)} to ${formatOctets(MAX_HEADER)}`,
)
/** Each client is looked up in all of them. */
const MAX_LISTS = 20
const MAX_RESOLVERS = 10
const MAX_CODES = 32
const MAX_REQUIRED = 20
/** Each sees every message, one after the other. */
const MAX_MILTERS = 10
/** Seconds: servers that send must not give up first. */
const MIN_DELAY = 60
const MAX_DELAY = 3_600
const DEFAULT_DELAY = 60
const DEFAULT_TRUST = 5
const MAX_TRUST = 1_000
/** Seconds: a client is told "later" when a delivery takes a minute. */
const MAX_TIMEOUT = 50
const DEFAULT_TIMEOUT = 20

const LIST_FORM = 'a DNS list such as "zen.spamhaus.org" or "bl.example.org=127.0.0.2,127.0.0.10"'
const RESOLVER_FORM = 'a name server such as "127.0.0.1:53" or "[::1]:53"'
const MILTER_FORM = 'a milter such as "inet:127.0.0.1@8891" or "unix:/run/milter.sock"'
const FIELD_FORM = 'the name of a header field, such as "From"'

const timeout = () =>
  wholeNumber(1, MAX_TIMEOUT).default(DEFAULT_TIMEOUT).describe('seconds for one message')
const onError = () =>
  choice(['defer', 'accept'])
    .default('defer')
    .describe('mail that cannot be checked: defer, or accept')

/** A list of texts that mean something. */
function list<T>(form: string, max: number, parse: (value: string) => T | undefined) {
  return z
    .array(parsed(form, parse), expects(`a list of ${max} at most, each ${form}`))
    .max(max, `expected ${max} at most`)
    .default([])
}

const headers = table({
  max_size: size()
    .prefault(DEFAULT_FILTERS.headers.maxSize)
    .refine((octets) => octets >= MIN_HEADER && octets <= MAX_HEADER, HEADER_SIZE)
    .describe('largest header section'),
  require: list(FIELD_FORM, MAX_REQUIRED, parseFieldName).describe('refuse mail without these'),
})

const dnsbl = table({
  lists: list(LIST_FORM, MAX_LISTS, parseList).describe('DNS lists to look clients up in'),
  action: choice(['reject', 'mark'])
    .default('reject')
    .describe('mail from who is listed: refused, or delivered as junk'),
  resolvers: list(RESOLVER_FORM, MAX_RESOLVERS, parseResolver).describe(
    "name servers to ask; default: the machine's",
  ),
})

const greylist = table({
  enabled: truth().default(false).describe('whether mail from strangers has to come twice'),
  delay: wholeNumber(MIN_DELAY, MAX_DELAY).default(DEFAULT_DELAY).describe('seconds between'),
  trust_after: wholeNumber(1, MAX_TRUST)
    .default(DEFAULT_TRUST)
    .describe('mails that came twice, until their network need not wait any more'),
})

const rspamd = table({
  url: parsed('a URL such as "http://127.0.0.1:11333"', parseUrl).prefault(
    'http://127.0.0.1:11333',
  ),
  timeout: timeout(),
  on_error: onError(),
})

const milter = table({
  endpoints: list(MILTER_FORM, MAX_MILTERS, parseMilter).describe('where they listen, in order'),
  timeout: timeout(),
  on_error: onError(),
})

const written = table({
  headers: headers.prefault({}),
  dnsbl: dnsbl.prefault({}),
  greylist: greylist.prefault({}),
  rspamd: rspamd.optional().describe('an rspamd that judges mail'),
  milter: milter.prefault({}),
})

/** `[filter]`, as the server needs it. */
export const filter = written.prefault({}).transform(asConfig)

function asConfig(said: z.infer<typeof written>): FilterConfig {
  const { enabled, delay, trust_after: trustAfter } = said.greylist
  const { max_size: maxSize, require } = said.headers
  return {
    headers: { maxSize, require },
    dnsbl: said.dnsbl,
    greylist: enabled ? { delay, trustAfter } : null,
    rspamd: said.rspamd === undefined ? null : { url: said.rspamd.url, ...outage(said.rspamd) },
    milters: said.milter.endpoints.map((endpoint) => ({ endpoint, ...outage(said.milter) })),
  }
}

function outage(said: { readonly timeout: number; readonly on_error: 'defer' | 'accept' }) {
  return { timeoutMs: said.timeout * 1000, onError: said.on_error }
}

/** RFC 5322 section 3.6.8. */
function parseFieldName(name: string): string | undefined {
  return /^[!-9;-~]{1,76}$/.test(name) ? name : undefined
}

function parseList(said: string): DnsListConfig | undefined {
  const [name = '', codes, ...more] = said.split('=')
  const zone = parseDomain(name)
  const parts = codes?.split(',') ?? []
  const good = parts.length <= MAX_CODES && parts.every((code) => isIP(code) === 4)
  return zone === null || zone.startsWith('[') || more.length > 0 || !good
    ? undefined
    : { zone, codes: parts }
}

/** The form that node:dns takes. */
function parseResolver(said: string): string | undefined {
  const [, ip6, ip4, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(said) ?? []
  const good = ip6 === undefined ? isIP(ip4 ?? '') === 4 : isIP(ip6) === 6
  return good && isPort(Number(port)) ? said : undefined
}

/** @returns it without a path: that is rspamd's business */
function parseUrl(said: string): string | undefined {
  const url = URL.canParse(said) ? new URL(said) : null
  const plain = url?.protocol === 'http:' && url.username === '' && url.pathname === '/'
  return plain && url.search === '' && url.hash === '' ? url.origin : undefined
}

/** Host and port in any order: Sendmail has the port first. */
function parseMilter(said: string): MilterEndpoint | undefined {
  const path = /^unix:(\/.{1,106})$/.exec(said)?.[1]
  if (path !== undefined) return { path }
  const [, one = '', other = ''] = /^inet6?:([^@]+)@([^@]+)$/.exec(said) ?? []
  const [port, host] = /^\d{1,5}$/.test(one) ? [one, other] : [other, one]
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  const good = isIP(bare) !== 0 || parseDomain(host) !== null
  return good && /^\d{1,5}$/.test(port) && isPort(Number(port))
    ? { host: bare, port: Number(port) }
    : undefined
}

function isPort(port: number): boolean {
  return port > 0 && port < 65_536
}
