/** The form of `[relay]` in mailtap.toml, and what its texts mean. */
import { identity, parseAddress, parseDomain } from '../mail/address.js'
import { DOMAIN_PATTERN_FORM, parseDomainPattern } from '../mail/domain-pattern.js'
import { parseSmarthost, type Smarthost, SMARTHOST_FORM } from '../mail/smarthost.js'
import { parseRate } from './durations.js'
import { choice, expects, parsed, table, text, wholeNumber, z } from './forms.js'
import { DESTINATION_TLS, ROUTE_TLS } from './relay-config.js'

/** Each is tried for a message before it has to wait. */
const MAX_VIA = 10
/** Each is compared with each mail. */
const MAX_ROUTES = 1_000
const MAX_PATTERNS = 1_000
const MAX_POLICIES = 10_000
const MAX_CONCURRENCY = 1_000

const VIA_FORM = `a list of ${MAX_VIA} at most, such as ["smtps://joe@smtp.example.net"] or ["mx"]`
const USER_FORM = 'an address such as "alice@example.com", or "@example.com" for all of a domain'
const NAME_FORM = 'a name of up to 32 letters, digits, "-" and "_", not "default"'
const RATE_FORM = 'a rate such as "10/s", "100/min", "1000/h" or "5000/d"'

/** `mx`, or a URL in quotes. The complaint never shows it: there may be a password in it. */
const hop = z
  .string(expects(SMARTHOST_FORM))
  .superRefine((said, context) => {
    const found = hopOf(said)
    if (found !== 'mx' && 'problem' in found)
      context.addIssue({ code: 'custom', message: found.problem })
  })
  .transform((said) => hopOf(said) as 'mx' | Smarthost)

const way = {
  via: z
    .array(hop, expects(VIA_FORM))
    .min(1, expects(VIA_FORM))
    .max(MAX_VIA, expects(VIA_FORM))
    .optional()
    .describe('servers that take the mail, in the order in which they are tried; or mx'),
  password_file: text('a file, such as "relay-password"')
    .optional()
    .describe('one line: the password for the user in via'),
  token_file: text('a file, such as "relay-token"')
    .optional()
    .describe('one line: an access token for XOAUTH2, instead of a password'),
  tls: choice(ROUTE_TLS).default('auto').describe('auto: verified wherever there is a login'),
  ca: text('a PEM file').optional().describe('authorities to trust besides those of the system'),
  concurrency: wholeNumber(1, MAX_CONCURRENCY)
    .optional()
    .describe('messages at once; of mx for each domain by itself'),
  rate: parsed(RATE_FORM, parseRate).optional().describe('no more messages than these'),
}

const route = table({
  name: parsed(NAME_FORM, parseName).optional().describe('for logs and commands'),
  sender_domain: oneOrMore(DOMAIN_PATTERN_FORM, parseDomainPattern),
  recipient_domain: oneOrMore(DOMAIN_PATTERN_FORM, parseDomainPattern),
  user: oneOrMore(USER_FORM, parseUser),
  ...way,
})

const policies = z
  .record(z.string(), choice(DESTINATION_TLS), expects('lines such as "example.com" = "verify"'))
  .superRefine((said, context) => {
    for (const name of Object.keys(said).filter((each) => parseDomainPattern(each) === null)) {
      const message = `${JSON.stringify(name)} is not ${DOMAIN_PATTERN_FORM}`
      context.addIssue({ code: 'custom', path: [name], message })
    }
  })
  .refine((said) => Object.keys(said).length <= MAX_POLICIES, `${MAX_POLICIES} at most`)
  .default({})
  .describe('TLS to the servers of these domains when mail goes by MX')

export const relay = table({
  ...way,
  tls_policy: policies,
  route: z
    .array(route, expects('tables such as [[relay.route]]'))
    .max(MAX_ROUTES, `${MAX_ROUTES} at most`)
    .default([])
    .describe('other ways for some mail; the first that fits counts'),
})

export type WaySaid = z.infer<z.ZodObject<typeof way>>
export type RouteSaid = z.infer<typeof route>
export type RelaySaid = z.infer<typeof relay>

/** A text, or a list of them; nothing said is none. */
function oneOrMore(form: string, parse: (said: string) => string | null) {
  const wrong = expects(`${form}; or a list of these`)
  const known = (all: readonly string[]) =>
    all.length > 0 && all.length <= MAX_PATTERNS && all.every((each) => parse(each) !== null)
  return z
    .union([z.string(wrong), z.array(z.string(wrong), wrong)], wrong)
    .transform((said) => (typeof said === 'string' ? [said] : said))
    .refine(known, wrong)
    .transform((all) => all.map((each) => parse(each)!))
    .optional()
    .describe('mail that it is for')
}

function hopOf(said: string) {
  return said === 'mx' ? said : parseSmarthost(said)
}

function parseName(said: string): string | undefined {
  return /^[A-Za-z0-9_-]{1,32}$/.test(said) && said !== 'default' ? said : undefined
}

function parseUser(said: string): string | null {
  const domain = said.startsWith('@') ? parseDomain(said.slice(1)) : null
  if (domain !== null) return `@${domain}`
  const address = parseAddress(said)
  return address === null ? null : identity(address)
}
