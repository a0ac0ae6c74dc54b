/**
 * Writes TOML that people read: a new mailtap.toml with its explanations, and
 * a domain at the end of one that is there. Never changes what a person wrote.
 */
import type { Listen } from './protocols.js'

/** What a new config says; paths and names as they shall stand in it. */
export interface NewConfig {
  readonly hostname: string
  readonly state: string
  readonly auth: readonly string[]
  readonly defaultDomain: string | null
  readonly listen: Listen
  readonly tls: { readonly cert: string; readonly key: string } | null
  readonly relay: NewRelay | null
  readonly domains: readonly NewDomain[]
}

/** The way of mail to other domains. */
export interface NewRelay {
  /** URLs of smarthosts, or `mx`. */
  readonly via: readonly string[]
  /** Where the password for them lies; `null` if there is no login. */
  readonly passwordFile: string | null
}

export interface NewDomain {
  readonly name: string
  readonly path: string
  readonly bounceToPostmaster: boolean
  /** Who gets mail for unknown local parts; `null` = nobody. */
  readonly catchAll: string | null
  /** `null` = `.aliases` in the domain's directory. */
  readonly aliases: string | null
}

/** The text of a new mailtap.toml. */
export function newConfig(config: NewConfig): string {
  return (
    [HEAD, general(config), listeners(config), tls(config), relay(config), REST].join('\n') +
    addDomains('', config.domains)
  )
}

/** The text with domains added at its end; what was there stays byte for byte. */
export function addDomains(text: string, domains: readonly NewDomain[]): string {
  const gap = text === '' || text.endsWith('\n') ? '' : '\n'
  return domains.reduce((before, each) => `${before}\n${domain(each)}`, text + gap)
}

/** A value as TOML writes it. */
export function tomlValue(value: string | number | boolean | readonly string[]): string {
  if (typeof value === 'string') return tomlString(value)
  if (typeof value !== 'object') return String(value)
  return `[${value.map(tomlString).join(', ')}]`
}

/** JSON's strings are TOML's basic strings, but for DEL. */
export function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f')
}

const HEAD = `# The settings of this mail server, made by 'mailtap create'.
# 'mailtap check' tells whether they are right, 'mailtap config schema' lists all keys.
# Relative paths start at this file. Files conf.d/*.toml beside it are added in name order.
`

function general({ hostname, state, auth, defaultDomain }: NewConfig): string {
  const bare =
    defaultDomain === null
      ? '# default_domain = "example.com"'
      : `default_domain = ${tomlString(defaultDomain)}`
  return `# The name in the banner, in EHLO and in Received; other servers look it up in the DNS.
hostname = ${tomlString(hostname)}

# Locks, temporary files and the self-signed certificate.
state = ${tomlString(state)}

# Who checks passwords: "directory" means the .users directory of each domain.
auth = ${tomlValue(auth)}

# A login without @domain belongs to this domain.
${bare}
`
}

function listeners({ listen }: NewConfig): string {
  return `# "25" is that port on every address; also "127.0.0.1:25", "[::1]:25", "unix:/path?mode=660".
# Behind a proxy that speaks the PROXY protocol: "25?proxy=192.0.2.1".
# Ports below 1024 need a privilege; 'mailtap run' says how to get it if it is missing.
[listen]
smtp = ${tomlValue(listen.smtp)}
# Own users send here after a login: 587 with STARTTLS, 465 inside TLS from the first byte.
submission = ${tomlValue(listen.submission)}
submissions = ${tomlValue(listen.submissions)}
# Another server of this site, one that has a queue, brings mail here; nobody else should reach it.
lmtp = ${tomlValue(listen.lmtp)}
pop3 = ${tomlValue(listen.pop3)}
# POP3 inside TLS from the first byte; its usual port is 995.
pop3s = ${tomlValue(listen.pop3s)}
`
}

function tls({ tls: files }: NewConfig): string {
  const lines =
    files === null
      ? ['# [tls]', '# cert = "fullchain.pem"', '# key = "privkey.pem"']
      : ['[tls]', `cert = ${tomlString(files.cert)}`, `key = ${tomlString(files.key)}`]
  return `# Without a certificate a self-signed one is made, which mail programs warn about.\n${lines.join('\n')}\n`
}

function relay({ relay: way }: NewConfig): string {
  const file = way?.passwordFile ?? null
  const password =
    file === null ? '# password_file = "relay-password"' : `password_file = ${tomlString(file)}`
  const lines =
    way === null
      ? ['# [relay]', '# via = ["smtps://joe@smtp.provider.example"]', password]
      : ['[relay]', `via = ${tomlValue(way.via)}`, password]
  return `${RELAY_HEAD}\n${lines.join('\n')}\n${RELAY_REST}`
}

const RELAY_HEAD = `# The way of mail to other domains; without it own users can write to each other only.
# smtp://[user@]host[:port] is STARTTLS, smtps:// TLS from the first byte; several are tried in
# this order. ["mx"] hands each mail to the server of its domain.
# password_file has one line and mode 600. 'mailtap relay test' logs in and tells what came of it.`

const RELAY_REST = `# token_file = "token"        # XOAUTH2: an access token, which a program of yours renews
# tls = "auto"               # verified wherever there is a login; never, may, encrypt, verify
# ca = "authority.pem"       # to be trusted besides those of the system
# concurrency = 20           # messages at once; of mx 5 for each domain
# rate = "100/min"           # what is above it waits

# Other ways for some mail; the first that fits counts. Lists and ".example.org" for all below, too.
# [[relay.route]]
# sender_domain = "example.org"      # or recipient_domain, or user
# via = ["smtp://relay.example.org"]

# TLS by domain of the recipient, when mail goes by mx: auto, never, may, encrypt, verify, dane.
# [relay.tls_policy]
# "example.net" = "verify"

# [queue]
# retry_first = "5m"         # between the first two attempts; then ever longer, up to
# retry_max = "4h"
# warn_after = "4h"          # then the sender hears that it takes longer; or "off"
# expire_after = "5d"        # then it is given up
`

const REST = `# [pop3]
# plaintext = "tls-only"     # other machines log in inside TLS (STLS or pop3s); or "always"
# apop = "auto"              # offered while every account has its password in clear; or "on", "off"
# scram = "auto"             # offered while every account has keys for it; or "on", "off"
# takeover_after = 0         # seconds of silence, then a new login ends the old session; 0: never
# login_delay = 0            # seconds between two logins of one user
# expire = "NEVER"           # what clients are told; or days
# language = "en"            # what LANG * chooses; or "de"
# utf8 = "as-is"             # or "strict": no headers in UTF-8 for clients that did not say UTF8

# [smtp]
# xclient = []               # networks whose servers may say for whom they speak
# messages_per_minute = 600  # from one address; 0: no limit
# recipients_per_minute = 6000
# messages_per_connection = 1000
# recipients_per_message = 1000
# errors = 20                # mistakes, then the connection ends
# junk_commands = 100        # between two messages

# [submission]
# any_sender = false         # true: whoever has logged in may send as anybody

# [mailboxes]
# quota = "none"             # how much mail a user may keep: "2GB", "2GB, 10000 messages"; also per domain
# tag_separator = "+"        # alice+anything is alice; "" for no such addresses
# trash = "30d"              # so long 'mailtap mailbox undelete' can put deleted mail back; or "off"

# [filter.headers]
# require = []               # refuse mail without these fields: ["From", "Date"]

# [filter.dnsbl]
# lists = []                 # refuse clients on these DNS lists: ["zen.spamhaus.org"]
# action = "reject"          # or "mark": deliver their mail as junk

# [filter.greylist]
# enabled = false            # whether the first mail of a stranger has to come twice

# [limits]
# message_size = "50MB"
# connections = 10000        # to one listener at once
# connections_in_all = 20000
# connections_per_address = 50       # at once; of IPv6 a /64 counts as an address
# connections_per_network = 200      # the same of a /24, of IPv6 a /48
# connection_rate_per_address = 600  # new ones per minute
# connection_rate_per_network = 2400
# trusted = []               # networks without limits per address and network: ["192.0.2.0/24"]

# [log]
# format = "text"            # or "json"
# level = "info"             # debug, info, warn, error

# The domains, each with a directory of its own: a mailbox per user, passwords in .users.
`

function domain({ name, path, bounceToPostmaster, catchAll, aliases }: NewDomain): string {
  const lines = [`[domains.${tomlString(name)}]`, `path = ${tomlString(path)}`]
  if (bounceToPostmaster)
    lines.push('# Mail for unknown users goes to postmaster.', 'bounce_to_postmaster = true')
  if (catchAll !== null)
    lines.push('# Mail for unknown users goes there.', `catch_all = ${tomlString(catchAll)}`)
  if (aliases !== null) lines.push(`aliases = ${tomlString(aliases)}`)
  return `${lines.join('\n')}\n`
}
