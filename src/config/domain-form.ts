/** What a `[domains."…"]` table of mailtap.toml may say: a domain with a directory, or `alias_of` another. */
import { parseAddress } from '../mail/address.js'
import { LMTP_FORM, parseLmtpPlace } from '../mail/lmtp-place.js'
import { parsed, quota, table, text, truth, type z } from './forms.js'

const PATH_FORM = 'a directory, such as "./Maildir"'
/** For a domain that has neither. */
export const PATH_MISSING = `missing; expected ${PATH_FORM}`
const SEPARATORS = /^[-+_=.#~]?$/

/** @param certificate the form of a certificate and its key */
export function domainForm<C extends z.ZodType>(certificate: C) {
  return table({
    path: text(PATH_FORM).optional().describe('directory of the domain'),
    bounce_to_postmaster: truth().default(false).describe('unknown users: to postmaster'),
    catch_all: parsed('an address such as "alice@example.com"', nullless(parseAddress))
      .optional()
      .describe('unknown users: to this address'),
    aliases: text('a file, such as "./aliases"').optional().describe('default: .aliases in path'),
    quota: quota().optional().describe('of each of its users; default: that of [mailboxes]'),
    deliver: parsed(LMTP_FORM, nullless(parseLmtpPlace))
      .optional()
      .describe('an LMTP server that takes the mail of its users: lmtp:unix:/path, lmtp:host:port'),
    alias_of: text('a domain of this file')
      .optional()
      .describe('all its addresses are those of that domain; nothing else is said beside it'),
    tls: certificate.optional().describe('for clients that ask for a name in that certificate'),
  })
}

/** What may stand between a user's name and a tag: `user+tag`. */
export function tagSeparator() {
  return parsed('one of + - _ = . # ~, or "" for none', (said) =>
    SEPARATORS.test(said) ? said : undefined,
  )
}

function nullless<T>(parse: (said: string) => T | null): (said: string) => T | undefined {
  return (said) => parse(said) ?? undefined
}
