/**
 * Reads an aliases(5) file: `name: target, target`, comments, continuation
 * lines, quotes. Pure: text in, table out. What a target may be stands in
 * alias-target.ts.
 */
import { foldLocal, parseLocal } from '../mail/address.js'
import { findOutsideQuotes, parseTargets, type AliasTarget } from './alias-target.js'

export interface Alias {
  /** `file:line`, for people. */
  readonly at: string
  readonly name: string
  readonly targets: readonly AliasTarget[]
}

/** By folded name. */
export type Aliases = ReadonlyMap<string, Alias>

/** The file cannot be understood; the message begins with `file:line`. */
export class AliasesError extends Error {
  override readonly name = 'AliasesError'
}

interface Entry {
  readonly at: string
  readonly text: string
}

/**
 * @param file named in errors, never opened
 * @throws AliasesError
 */
export function parseAliases(text: string, file: string): Aliases {
  const aliases = new Map<string, Alias>()
  for (const entry of entries(text, file)) {
    const alias = parseEntry(entry)
    const earlier = aliases.get(alias.name)
    if (earlier) throw new AliasesError(`${entry.at}: ${alias.name} stands at ${earlier.at}, too`)
    aliases.set(alias.name, alias)
  }
  return aliases
}

/** Joins continuation lines. Empty lines and comments may stand between them, as in Postfix. */
function* entries(text: string, file: string): Generator<Entry> {
  let at = ''
  let parts: string[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const here = `${file}:${index + 1}`
    if (!/^\s/.test(line)) {
      if (parts.length > 0) yield { at, text: parts.join(' ') }
      at = here
      parts = []
    } else if (parts.length === 0) {
      throw new AliasesError(`${here}: continues a line, but there is none before it`)
    }
    parts.push(line.trim())
  }
  if (parts.length > 0) yield { at, text: parts.join(' ') }
}

function parseEntry({ at, text }: Entry): Alias {
  const colon = findOutsideQuotes(text, ':', 0)
  if (colon === null) throw new AliasesError(`${at}: a quote is not closed`)
  if (colon === text.length) throw new AliasesError(`${at}: expected "name: target, target"`)
  const name = parseLocal(text.slice(0, colon).trim())
  if (name === null) {
    throw new AliasesError(`${at}: the name must be a local part, without @domain`)
  }
  const targets = parseTargets(text.slice(colon + 1))
  if (targets === null) throw new AliasesError(`${at}: a quote is not closed`)
  return { at, name: foldLocal(name), targets }
}
