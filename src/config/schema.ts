/**
 * The form of mailtap.toml: which keys there are, of which type, with which
 * default. Also the JSON Schema that editors use. The one door to zod.
 */
import { z } from 'zod'
import { parseOctets } from '../mail/octets.js'
import { parseQuota, QUOTA_FORM } from '../mail/quota.js'
import { parseEndpoint } from '../net/endpoint.js'
import { parseDays } from './days.js'
import type { Path } from './source.js'

/** 50 MB, as most providers take. */
const DEFAULT_MESSAGE_SIZE = 50 * 1024 * 1024
const DEFAULT_CONNECTIONS = 10_000
/** Above this, one mistyped zero would let one client fill the disk. */
const MAX_MESSAGE_SIZE = 1024 ** 4
const MAX_CONNECTIONS = 1_000_000
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

const text = (form: string) => z.string(expects(form)).min(1, expects(form))
const endpoints = (what: string) =>
  z
    .array(endpoint(), expects('a list of endpoints, such as ["25", "127.0.0.1:8025"]'))
    .default([])
    .describe(`where to listen for ${what}: 25, 127.0.0.1:25, [::1]:25, unix:/path?mode=660`)

const domain = table({
  path: text('a directory, such as "./Maildir"').describe('directory of the domain'),
  bounce_to_postmaster: truth().default(false).describe('unknown users: to postmaster'),
  aliases: text('a file, such as "./aliases"').optional().describe('default: .aliases in path'),
  catch_all: notBuilt('catch_all'),
  quota: quota().optional().describe('of each of its users; default: that of [mailboxes]'),
})

const listen = table({
  smtp: endpoints('mail from other servers'),
  pop3: endpoints('POP3, with STLS'),
  pop3s: endpoints('POP3 over TLS'),
  submission: notBuilt('the submission listener'),
  submissions: notBuilt('the submissions listener'),
  lmtp: notBuilt('the LMTP listener'),
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
  }).prefault({}),
  mailboxes: table({
    quota: quota().prefault('none').describe('how much mail a user may keep, such as "2GB"'),
    trash: parsed('days such as "30d", or "off"', parseDays)
      .prefault('30d')
      .describe('days that deleted mail can be put back (mailtap mailbox undelete), or "off"'),
  }).prefault({}),
  tls: table({
    cert: text('a PEM file').describe('certificate chain'),
    key: text('a PEM file').describe('private key'),
  }).optional(),
  limits: table({
    message_size: size().describe('largest message'),
    connections: wholeNumber(1, MAX_CONNECTIONS)
      .default(DEFAULT_CONNECTIONS)
      .describe('per listener'),
  }).prefault({}),
  log: table({
    format: choice(['text', 'json']).default('text'),
    level: choice(['debug', 'info', 'warn', 'error']).default('info'),
  }).prefault({}),
  relay: notBuilt('relaying to other servers'),
  run: notBuilt('[run] (uid, gid)'),
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

function table<S extends z.ZodRawShape>(shape: S) {
  const known = Object.entries(shape).filter(([, form]) => !isNotBuilt(form))
  const names = `known here: ${known.map(([key]) => key).join(', ')}`
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? names : `expected a table, not ${kind(issue.input)}`,
  })
}

function endpoint() {
  return z.string(expects('an endpoint in quotes, such as "25"')).superRefine((value, context) => {
    try {
      parseEndpoint(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })
}

function size() {
  const form = expects('a size such as "50MB" or 52428800')
  return z
    .union([z.int(form), z.string(form)], form)
    .prefault(DEFAULT_MESSAGE_SIZE)
    .transform((value) => (typeof value === 'number' ? value : (parseOctets(value) ?? 0)))
    .refine((value) => value > 0 && value <= MAX_MESSAGE_SIZE, form)
}

function quota() {
  return parsed(QUOTA_FORM, (value) => parseQuota(value) ?? undefined)
}

/** What a text means; `parse` gives `undefined` for one that means nothing. */
function parsed<T>(form: string, parse: (value: string) => T | undefined) {
  const wrong = expects(form)
  const known = z.string(wrong).refine((value) => parse(value) !== undefined, wrong)
  return known.transform((value) => parse(value) as T)
}

function wholeNumber(min: number, max: number) {
  const form = expects(`a whole number from ${min} to ${max}`)
  return z.int(form).min(min, form).max(max, form)
}

function truth() {
  return z.boolean(expects('true or false'))
}

function choice<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, expects(words.map((word) => JSON.stringify(word)).join(' or ')))
}

/** A key that belongs to the product and that this version can not serve yet. */
function notBuilt(what: string) {
  const error = `${what} is not in this version yet; remove this`
  return z.never({ error }).describe('not in this version yet').optional()
}

function isNotBuilt(form: unknown): boolean {
  return form instanceof z.ZodOptional && form.unwrap() instanceof z.ZodNever
}

function expects(form: string) {
  return {
    error: ({ input }: { readonly input?: unknown }): string =>
      input === undefined ? `missing; expected ${form}` : `expected ${form}, not ${kind(input)}`,
  }
}

/** What a value is, never the value: it may be a secret in the wrong place. */
function kind(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'this text'
  if (typeof value === 'number') return 'this number'
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  return value instanceof Date ? 'a date' : 'a table'
}
