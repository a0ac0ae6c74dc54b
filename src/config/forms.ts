/**
 * The words that the form of mailtap.toml is written in: texts, sizes, choices,
 * tables, each with a complaint that says what is expected. The one door to zod.
 */
import { z } from 'zod'
import { parseOctets } from '../mail/octets.js'
import { parseQuota, QUOTA_FORM } from '../mail/quota.js'
import { parseEndpoint } from '../net/endpoint.js'
import { Networks } from '../net/networks.js'

export { z }

/** 50 MB, as most providers take. */
const DEFAULT_MESSAGE_SIZE = 50 * 1024 * 1024
/** Above this, one mistyped zero would let one client fill the disk. */
const MAX_MESSAGE_SIZE = 1024 ** 4

/** A text that is not empty. */
export const text = (form: string) => z.string(expects(form)).min(1, expects(form))
/** A list of places to listen at. */
export const endpoints = (what: string) =>
  z
    .array(endpoint(), expects('a list of endpoints, such as ["25", "127.0.0.1:8025"]'))
    .default([])
    .describe(
      `where to listen for ${what}: 25, 127.0.0.1:25, [::1]:25?proxy=CIDR, unix:/path?mode=660`,
    )

/** A list of networks; none if it is missing. */
export function networks() {
  const network = z.string(expects('a network in quotes')).superRefine((value, context) => {
    try {
      void new Networks([value])
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })
  return z.array(network, expects('a list of networks, such as ["192.0.2.0/24"]')).default([])
}

/** A table with these keys and no others; an error names those that there are. */
export function table<S extends z.ZodRawShape>(shape: S) {
  const known = Object.entries(shape).filter(([, form]) => !isNotBuilt(form))
  const names = `known here: ${known.map(([key]) => key).join(', ')}`
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? names : `expected a table, not ${kind(issue.input)}`,
  })
}

/** A place to listen at. */
export function endpoint() {
  return z.string(expects('an endpoint in quotes, such as "25"')).superRefine((value, context) => {
    try {
      parseEndpoint(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })
}

/** Octets, as a number or as a text such as `50MB`. */
export function size() {
  const form = expects('a size such as "50MB" or 52428800')
  return z
    .union([z.int(form), z.string(form)], form)
    .prefault(DEFAULT_MESSAGE_SIZE)
    .transform((value) => (typeof value === 'number' ? value : (parseOctets(value) ?? 0)))
    .refine((value) => value > 0 && value <= MAX_MESSAGE_SIZE, form)
}

export function quota() {
  return parsed(QUOTA_FORM, (value) => parseQuota(value) ?? undefined)
}

/** What a text means; `parse` gives `undefined` for one that means nothing. */
export function parsed<T>(form: string, parse: (value: string) => T | undefined) {
  const wrong = expects(form)
  const known = z.string(wrong).refine((value) => parse(value) !== undefined, wrong)
  return known.transform((value) => parse(value) as T)
}

export function wholeNumber(min: number, max: number) {
  const form = expects(`a whole number from ${min} to ${max}`)
  return z.int(form).min(min, form).max(max, form)
}

export function truth() {
  return z.boolean(expects('true or false'))
}

export function choice<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, expects(words.map((word) => JSON.stringify(word)).join(' or ')))
}

/** A key that belongs to the product and that this version can not serve yet. */
export function notBuilt(what: string) {
  const error = `${what} is not in this version yet; remove this`
  return z.never({ error }).describe('not in this version yet').optional()
}

function isNotBuilt(form: unknown): boolean {
  return form instanceof z.ZodOptional && form.unwrap() instanceof z.ZodNever
}

/** The complaint about whatever is not of that form. */
export function expects(form: string) {
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
