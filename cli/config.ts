/** `mailtap config`: what the settings are, and what they could be. */
import type { Config } from '../src/config/config.js'
import { formatDays } from '../src/config/days.js'
import { tomlString, tomlValue } from '../src/config/edit.js'
import { limitsAsWritten } from '../src/config/limits.js'
import { metricsAsWritten } from '../src/config/metrics-config.js'
import { queueAsWritten } from '../src/config/queue-config.js'
import { relayAsWritten } from '../src/config/relay-config.js'
import { smtpAsWritten } from '../src/config/smtp-config.js'
import { jsonSchema } from '../src/config/schema.js'
import { formatAddress } from '../src/mail/address.js'
import { formatLmtpPlace } from '../src/mail/lmtp-place.js'
import { formatQuota, UNLIMITED } from '../src/mail/quota.js'
import { CONFIG, JSON_OUTPUT, type Given, type Noun } from './command.js'
import { filterAsWritten } from './filter-written.js'
import { settingsFor } from './settings.js'
import { print, sayJson } from './terminal.js'

export const config: Noun = {
  name: 'config',
  summary: 'the settings',
  commands: [
    {
      name: 'show',
      summary: 'print the settings in effect: files merged, defaults filled in, paths absolute',
      options: [CONFIG, JSON_OUTPUT],
      run: show,
    },
    {
      name: 'schema',
      summary: 'print the JSON Schema of mailtap.toml',
      options: [],
      run: async () => sayJson(jsonSchema()),
    },
  ],
}

type Value = string | number | boolean | readonly string[]
type Table = Readonly<Record<string, Value>>
type Tables = Readonly<Record<string, Value | Table | readonly Table[]>>

async function show(given: Given): Promise<void> {
  const settings = asWritten(await settingsFor(given))
  if (given.has('json')) return sayJson(settings)
  const { domains, ...others } = settings
  const tables = Object.entries(others).filter(([, value]) => isTable(value)) as [string, Tables][]
  const top = Object.entries(others).filter(([, value]) => !isTable(value)) as [string, Value][]
  const texts = [lines(top), ...tables.flatMap(([name, table]) => sections(name, table))]
  const ours = Object.entries(domains).flatMap(([name, table]) =>
    sections(`domains.${tomlString(name)}`, table),
  )
  print([...texts, ...ours].join('\n'))
}

/** The settings in the words of mailtap.toml. */
function asWritten(settings: Config) {
  const { hostname, state, auth, defaultDomain, listen, mailboxes, tls, limits, log } = settings
  return {
    hostname,
    state,
    auth,
    ...(defaultDomain === null ? {} : { default_domain: defaultDomain }),
    listen,
    pop3: pop3AsWritten(settings.pop3),
    smtp: smtpAsWritten(settings.smtp),
    submission: { any_sender: settings.submission.anySender },
    mailboxes: { tag_separator: settings.tagSeparator, trash: formatDays(mailboxes.trashMs) },
    ...(tls === null ? {} : { tls }),
    limits: limitsAsWritten(limits),
    filter: filterAsWritten(settings.filter),
    ...(settings.relay.routes.length === 0 ? {} : { relay: relayAsWritten(settings.relay) }),
    queue: queueAsWritten(settings.queue),
    run: { ...settings.run },
    ...(settings.metrics === undefined ? {} : { metrics: metricsAsWritten(settings.metrics) }),
    log,
    domains: {
      ...domainsAsWritten(settings.domains),
      ...aliasDomainsAsWritten(settings.aliasDomains),
    },
  }
}

function pop3AsWritten({ loginDelay, takeoverAfter, expire, ...same }: Config['pop3']) {
  return {
    ...same,
    login_delay: loginDelay,
    takeover_after: takeoverAfter,
    expire: expire === 'NEVER' ? expire : Number(expire),
  }
}

function domainsAsWritten(domains: Config['domains']): Record<string, Tables> {
  const tables = Object.entries(domains).map(([name, domain]) => {
    const { path, bounceToPostmaster, catchAll, deliver, aliases, quota, tls } = domain
    const limit = formatQuota(quota ?? UNLIMITED)
    const table: Tables = {
      path,
      bounce_to_postmaster: bounceToPostmaster,
      ...(catchAll === null ? {} : { catch_all: formatAddress(catchAll) }),
      aliases,
      quota: limit,
      ...(deliver === null ? {} : { deliver: formatLmtpPlace(deliver) }),
      ...(tls === null ? {} : { tls: { ...tls } }),
    }
    return [name, table] as const
  })
  return Object.fromEntries(tables)
}

function aliasDomainsAsWritten(domains: Config['aliasDomains']): Record<string, Tables> {
  const tables = Object.entries(domains).map(([name, of]) => [name, { alias_of: of }] as const)
  return Object.fromEntries(tables)
}

/** A table, and those in it. */
function sections(name: string, table: Tables): string[] {
  const all = Object.entries(table)
  const plain = all.filter(([, value]) => !isTable(value)) as [string, Value][]
  const inner = all.filter(([, value]) => isTable(value)) as [string, Table | readonly Table[]][]
  return [
    ...(plain.length === 0 ? [] : [section(`[${name}]`, Object.fromEntries(plain))]),
    ...inner.flatMap(([key, each]) =>
      isList(each)
        ? each.map((one) => section(`[[${name}.${key}]]`, one))
        : [section(`[${name}.${key}]`, each)],
    ),
  ]
}

function section(head: string, table: Table): string {
  return `${head}\n${lines(Object.entries(table))}`
}

function lines(entries: readonly (readonly [string, Value])[]): string {
  return entries.map(([key, value]) => `${keyText(key)} = ${tomlValue(value)}\n`).join('')
}

/** TOML's bare keys need no quotes. */
const keyText = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key))

function isTable(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((each) => typeof each === 'object')
  return typeof value === 'object'
}

const isList = (value: Table | readonly Table[]): value is readonly Table[] => Array.isArray(value)
