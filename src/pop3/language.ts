/** LANG (RFC 6856 section 3): the client chooses in which language people are spoken to. */
import type { Context } from './context.js'
import { ENGLISH } from './english.js'
import { GERMAN } from './german.js'
import { listing } from './listing.js'
import { err, ok } from './reply.js'
import type { Reply } from './state.js'
import type { Texts } from './texts.js'

/** What everybody can read who reads anything (RFC 2277 section 4.5). */
const DEFAULT: Texts = { ...ENGLISH, tag: 'i-default', name: 'English, as without LANG' }

/** By tag in lower case. */
const LANGUAGES: ReadonlyMap<string, Texts> = new Map(
  [ENGLISH, GERMAN, DEFAULT].map((texts) => [texts.tag, texts]),
)

/** RFC 4647 section 2.1. */
const RANGE = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,15}$/

/** The verb: a list without argument, else a change of language, which the answer is already in. */
export function lang(argument: Buffer, context: Context): Reply {
  if (argument.length === 0) return list(context)
  const range = argument.toString('latin1')
  const texts = range === '*' ? preferred(context) : matching(range)
  if (texts === null) return err(context.texts.noSuchLanguage)
  context.texts = texts
  return ok(`${texts.tag} ${texts.chosen}`)
}

function list({ texts }: Context): Reply {
  const lines = [...LANGUAGES.values()].map(({ tag, name }) => `${tag} ${name}`)
  return ok(texts.languages, { body: listing(lines) })
}

/** What the administrator would have them read; never what a user would, who is not yet known to be one. */
function preferred({ options }: Context): Texts {
  return LANGUAGES.get(options.language?.() ?? ENGLISH.tag) ?? ENGLISH
}

/** Lookup (RFC 4647 section 3.4): de-AT gets de. */
function matching(range: string): Texts | null {
  if (!RANGE.test(range)) return null
  const parts = range.toLowerCase().split('-')
  for (let length = parts.length; length > 0; length--) {
    const texts = LANGUAGES.get(parts.slice(0, length).join('-'))
    if (texts !== undefined) return texts
  }
  return null
}
