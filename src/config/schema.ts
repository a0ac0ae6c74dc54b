/**
 * The form of mailtap.toml: which keys there are, of which type, with which
 * default. Also the JSON Schema that editors use.
 */
import { parseDays } from './days.js'
import { domainForm, tagSeparator } from './domain-form.js'
import { filter } from './filter-schema.js'
import {
  choice,
  endpoints,
  expects,
  notBuilt,
  parsed,
  quota,
  table,
  text,
  truth,
  wholeNumber,
  z,
} from './forms.js'
import { limits } from './limits.js'
import { metrics } from './metrics-config.js'
import { queue } from './queue-config.js'
import { relay } from './relay-schema.js'
import { run } from './run-config.js'
import { smtp } from './smtp-config.js'
import type { Path } from './source.js'

/** A day, in seconds. */
const MAX_LOGIN_DELAY = 86_400
/**
 * Seconds: a mail program may think for some. RFC 1939 section 3 gives a silent one ten minutes,
 * so no session is taken over unless somebody asks for it; after these it ends by itself.
 */
const MIN_TAKEOVER = 10
const MAX_TAKEOVER = 600
const TAKEOVER = expects(`0 for never, or seconds from ${MIN_TAKEOVER} to ${MAX_TAKEOVER}`)
/** A hundred years, in days. */
const MAX_EXPIRE = 36_500

const certificate = table({
  cert: text('a PEM file').describe('certificate chain'),
  key: text('a PEM file').describe('private key'),
})

const domain = domainForm(certificate)

const listen = table({
  smtp: endpoints('mail from other servers'),
  submission: endpoints('mail from own users, with STARTTLS'),
  submissions: endpoints('mail from own users over TLS'),
  lmtp: endpoints('LMTP, mail from another server of this site'),
  pop3: endpoints('POP3, with STLS'),
  pop3s: endpoints('POP3 over TLS'),
})

const settings = table({
  hostname: text('a host name, such as "mail.example.com"')
    .optional()
    .describe("name in banner, EHLO and Received; default: the machine's"),
  state: text('a directory, such as "mailtap-state"')
    .default('mailtap-state')
    .describe('directory for locks, temporary files and the self-signed certificate'),
  auth: z
    .array(text('a checker'), expects('a list of checkers, such as ["directory"]'))
    .min(1, expects('at least one checker, such as ["directory"]'))
    .default(['directory'])
    .describe('who checks passwords, asked in this order'),
  rehash: truth()
    .default(false)
    .describe('outdated password hashes in user files become argon2id after a login'),
  default_domain: text('a domain of this file')
    .optional()
    .describe('where logins without @domain belong; implied when there is one domain'),
  listen: listen.prefault({}),
  domains: z
    .record(z.string(), domain, expects('tables such as [domains."example.com"]'))
    .default({}),
  pop3: table({
    plaintext: choice(['tls-only', 'always'])
      .default('tls-only')
      .describe('whether passwords may come in clear from other machines'),
    apop: choice(['auto', 'on', 'off'])
      .default('auto')
      .describe('whether to offer APOP; auto: while every account has its password in clear'),
    scram: choice(['auto', 'on', 'off'])
      .default('auto')
      .describe('whether to offer SCRAM-SHA-256; auto: while every account has keys for it'),
    login_delay: wholeNumber(0, MAX_LOGIN_DELAY)
      .default(0)
      .describe('seconds between two logins of one user'),
    expire: z
      .union([z.literal('NEVER'), wholeNumber(0, MAX_EXPIRE)], expects('"NEVER" or days'))
      .default('NEVER')
      .describe('days that mail is kept for sure, as clients are told'),
    takeover_after: z
      .int(TAKEOVER)
      .min(0, TAKEOVER)
      .max(MAX_TAKEOVER, TAKEOVER)
      .refine((seconds) => seconds === 0 || seconds >= MIN_TAKEOVER, TAKEOVER)
      .default(0)
      .describe('seconds of silence after which a new login ends an older session; 0: never'),
    language: choice(['en', 'de']).default('en').describe('what LANG * chooses'),
    utf8: choice(['as-is', 'strict'])
      .default('as-is')
      .describe('strict: no headers in UTF-8 for clients that did not say UTF8'),
  }).prefault({}),
  smtp,
  submission: table({
    any_sender: truth()
      .default(false)
      .describe('whoever has logged in may send as anybody, not only from own addresses'),
  }).prefault({}),
  mailboxes: table({
    quota: quota().prefault('none').describe('how much mail a user may keep, such as "2GB"'),
    trash: parsed('days such as "30d", or "off"', parseDays)
      .prefault('30d')
      .describe('days that deleted mail can be put back (mailtap mailbox undelete), or "off"'),
    tag_separator: tagSeparator()
      .prefault('+')
      .describe('alice+anything is alice; "" for no such addresses'),
  }).prefault({}),
  tls: certificate.optional(),
  limits: limits.prefault({}),
  filter,
  log: table({
    format: choice(['text', 'json']).default('text'),
    level: choice(['debug', 'info', 'warn', 'error']).default('info'),
  }).prefault({}),
  relay: relay.optional().describe('the way of mail to other domains'),
  queue,
  metrics: metrics.describe('the port for those who watch the server'),
  run,
  uid: notBuilt('changing the uid'),
  gid: notBuilt('changing the gid'),
})

/** Settings of the right form, in the words of the file, with defaults. Sizes are octets. */
export type Settings = z.infer<typeof settings>

/** Something in the settings that has not the right form. */
export interface FormProblem {
  readonly path: Path
  readonly what: string
}

/** The settings, or everything that is wrong with them. */
export type Checked =
  | { readonly settings: Settings }
  | { readonly settings: null; readonly problems: readonly FormProblem[] }

/** @param value what the file says */
export function checkForm(value: unknown): Checked {
  const result = settings.safeParse(value)
  if (result.success) return { settings: result.data }
  return { settings: null, problems: result.error.issues.flatMap(asProblems) }
}

/** JSON Schema (draft 2020-12) of mailtap.toml. */
export function jsonSchema(): object {
  return { title: 'mailtap.toml', ...z.toJSONSchema(settings, { io: 'input' }) }
}

function asProblems(issue: z.core.$ZodIssue): FormProblem[] {
  // TOML has no symbols.
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const keys = issue.code === 'unrecognized_keys' ? issue.keys : []
  if (keys.length === 0) return [{ path, what: said(path, issue.message) }]
  return keys.map((key) => ({
    path: [...path, key],
    what: `unknown key ${JSON.stringify(key)}; ${issue.message}`,
  }))
}

/** `limits.connections: expected …` */
function said(path: Path, message: string): string {
  const name = path.reduce<string>((before, part) => {
    if (typeof part === 'number') return `${before}[${part}]`
    const key = /^[\w-]+$/.test(part) ? part : JSON.stringify(part)
    return before === '' ? key : `${before}.${key}`
  }, '')
  return name === '' ? message : `${name}: ${message}`
}
