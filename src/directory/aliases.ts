/**
 * Reads an aliases(5) file: `name: target, target`, comments, continuation
 * lines, quotes. Pure: text in, table out. Targets that are not built yet
 * (programs, files, includes) are kept as such, so that mail for them waits
 * instead of being lost.
 */
import { foldLocal, parseAddress, parseLocal } from '../mail/address.js'

export type AliasTarget =
  /** `domain` is `null` for a bare name: the domain of the file. */
  | { readonly kind: 'address'; readonly local: string; readonly domain: string | null }
  | { readonly kind: 'undeliverable'; readonly why: string }

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
  const colon = find(text, ':', 0)
  if (colon === null) throw new AliasesError(`${at}: a quote is not closed`)
  if (colon === text.length) throw new AliasesError(`${at}: expected "name: target, target"`)
  const name = parseLocal(text.slice(0, colon).trim())
  if (name === null) {
    throw new AliasesError(`${at}: the name must be a local part, without @domain`)
  }
  return { at, name: foldLocal(name), targets: parseTargets(text.slice(colon + 1), at) }
}

function parseTargets(text: string, at: string): readonly AliasTarget[] {
  const targets: AliasTarget[] = []
  for (let from = 0; from <= text.length;) {
    const to = find(text, ',', from)
    if (to === null) throw new AliasesError(`${at}: a quote is not closed`)
    const word = text.slice(from, to).trim()
    if (word !== '') targets.push(parseTarget(word))
    from = to + 1
  }
  return targets.length > 0 ? targets : [{ kind: 'undeliverable', why: 'there is no target' }]
}

function parseTarget(word: string): AliasTarget {
  // Before addresses: "/" and "|" may begin a local part, too.
  const special = /^"?\s*(?:(\|)|(\/)|(:[a-z]+:))/i.exec(word)
  if (special) return { kind: 'undeliverable', why: `${nameOf(special)} is not supported yet` }
  const address = parseAddress(word)
  if (address !== null) return { kind: 'address', ...address }
  const local = parseLocal(word)
  if (local !== null) return { kind: 'address', local, domain: null }
  return { kind: 'undeliverable', why: `${JSON.stringify(word)} is not an address` }
}

function nameOf(special: RegExpExecArray): string {
  if (special[1] !== undefined) return 'delivery to a program'
  return special[2] === undefined ? `${special[3]} in an alias` : 'delivery to a file'
}

/** Where a character stands outside quotes; the text's length if nowhere; `null` if a quote stays open. */
function find(text: string, character: string, from: number): number | null {
  let quoted = false
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') quoted = !quoted
    else if (!quoted && text[at] === character) return at
  }
  return quoted ? null : text.length
}
