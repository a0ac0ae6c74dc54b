/**
 * Reads the addresses of a header field such as To (RFC 5322 section 3.4, with what section 4.4
 * still allows): names, comments, groups, routes. Each character is looked at once, so that no
 * header takes longer than its length.
 */
import { type Address, formatAddress, parseAddress, parseDomain, parseLocal } from './address.js'

export interface AddressList {
  /** In their order; `domain` is `null` where only a local part was written. */
  readonly addresses: readonly ListedAddress[]
  /** What should be an address and is none, as it stands there, cut short. */
  readonly faults: readonly string[]
}

/** An address that may lack its domain: mail on one machine is often addressed so. */
export interface ListedAddress {
  readonly local: string
  readonly domain: string | null
}

/** Addresses of one list at most: what comes behind them is a fault. */
export const MAX_LISTED = 10_000
/** Faults that are told; one is enough to refuse a list. */
const MAX_FAULTS = 10
/** Characters of a fault. */
const MAX_SHOWN = 60

/** Reads a list as it stands in a field, folded or not. Never throws. */
export function parseAddressList(text: string): AddressList {
  const list = new ListReader()
  for (const token of tokensOf(text)) list.take(token)
  return list.end()
}

/** With the domain that names without one belong to. */
export function qualified({ local, domain }: ListedAddress, origin: string): Address {
  return { local, domain: domain ?? origin }
}

type Kind = 'special' | 'atom' | 'quoted' | 'literal' | 'open'

interface Token {
  readonly kind: Kind
  /** As it stands there. */
  readonly raw: string
}

/** Puts tokens together to addresses. What is not an address is kept as a fault, and reading goes on. */
class ListReader {
  readonly #addresses: ListedAddress[] = []
  readonly #faults: string[] = []
  /** Since the last comma. */
  #words: Token[] = []
  /** Between `<` and `>`; `null` outside. */
  #angle: Token[] | null = null
  #angleDone = false
  #inGroup = false

  take(token: Token): void {
    if (this.#angle !== null) this.#inAngle(this.#angle, token)
    else if (token.kind === 'special' && token.raw !== '.' && token.raw !== '@') {
      this.#punctuation(token)
    } else this.#words.push(token)
  }

  end(): AddressList {
    if (this.#angle !== null) this.#fault(this.#angle)
    else this.#finish()
    return { addresses: this.#addresses, faults: this.#faults }
  }

  #inAngle(angle: Token[], token: Token): void {
    if (token.kind !== 'special' || token.raw !== '>') return void angle.push(token)
    this.#add(withoutRoute(angle))
    this.#angle = null
    this.#angleDone = true
    this.#words = []
  }

  #punctuation(token: Token): void {
    const { raw } = token
    if (raw === '<' && !this.#angleDone) this.#angle = []
    else if (raw === ',') this.#finish()
    else if (raw === ';' && this.#inGroup) {
      this.#finish()
      this.#inGroup = false
    } else if (raw === ':' && !this.#inGroup && isName(this.#words)) {
      this.#inGroup = true
      this.#words = []
    } else this.#words.push(token)
  }

  /** The end of an entry: of none (RFC 5322 section 4.4), of `name <address>`, or of a bare address. */
  #finish(): void {
    const words = this.#words
    this.#words = []
    if (this.#angleDone && words.length > 0) this.#fault(words)
    else if (words.length > 0) this.#add(words)
    this.#angleDone = false
  }

  #add(words: readonly Token[]): void {
    const address = this.#addresses.length < MAX_LISTED ? addressOf(words) : null
    if (address === null) this.#fault(words)
    else this.#addresses.push(address)
  }

  #fault(words: readonly Token[]): void {
    if (this.#faults.length >= MAX_FAULTS) return
    const shown = words.slice(0, MAX_SHOWN).map(({ raw }) => raw)
    this.#faults.push(shown.join(' ').slice(0, MAX_SHOWN) || '<>')
  }
}

/** What may stand before the colon of a group; an address there would get lost. */
function isName(words: readonly Token[]): boolean {
  return words.length > 0 && words.every(({ kind, raw }) => kind !== 'special' || raw === '.')
}

/** `<@a,@b:c@d>`: the route says nothing any more (RFC 5321 appendix C). */
function withoutRoute(words: readonly Token[]): readonly Token[] {
  if (words[0]?.raw !== '@') return words
  const colon = words.findIndex(({ kind, raw }) => kind === 'special' && raw === ':')
  return colon === -1 ? words : words.slice(colon + 1)
}

function addressOf(words: readonly Token[]): ListedAddress | null {
  const at = words.findIndex(({ kind, raw }) => kind === 'special' && raw === '@')
  const local = localOf(at === -1 ? words : words.slice(0, at))
  if (local === null || at === -1) return local === null ? null : { local, domain: null }
  const rest = words.slice(at + 1)
  if (!alternates(rest)) return null
  const domain = parseDomain(rest.map(({ raw }) => raw).join(''))
  // Once more as a whole, by the one reader of addresses there is.
  return domain === null ? null : parseAddress(formatAddress({ local, domain }))
}

/** Words with dots between them, quoted or not (RFC 5322 section 4.4, obs-local-part). */
function localOf(words: readonly Token[]): string | null {
  if (!alternates(words) || words.some(({ kind }) => kind === 'literal')) return null
  if (words.length === 1 || words.every(({ kind }) => kind !== 'quoted')) {
    return parseLocal(words.map(({ raw }) => raw).join(''))
  }
  const values = words.map(({ kind, raw }) => (kind === 'quoted' ? raw.slice(1, -1) : raw))
  return parseLocal(`"${values.join('')}"`)
}

/** Word, dot, word: two words side by side are a name, not an address. */
function alternates(words: readonly Token[]): boolean {
  return words.length % 2 === 1 && words.every(({ kind, raw }, place) => isRight(kind, raw, place))
}

function isRight(kind: Kind, raw: string, place: number): boolean {
  return place % 2 === 1 ? kind === 'special' && raw === '.' : kind !== 'special' && kind !== 'open'
}

const SPECIALS = '<>,;:@.'
/** An atom with everything that addresses know (UTF-8, too) and nothing that means something here. */
const ATOM = /[^\s()<>[\],;:@."\\]+/y
const BLANK = /\s+/y

/** Without blanks and comments. What is never closed is of the kind `open`, and fits nowhere. */
function* tokensOf(text: string): Generator<Token> {
  let at = 0
  while (at < text.length) {
    const start = at
    const character = text[at]!
    if (SPECIALS.includes(character)) {
      at++
      yield { kind: 'special', raw: character }
    } else if (character === '"' || character === '[' || character === '(') {
      at = endOf(text, at, character)
      const closed = at !== -1
      if (!closed) at = text.length
      const token = {
        kind: closed ? CLOSED[character] : 'open',
        raw: text.slice(start, at),
      } as const
      if (character !== '(' || !closed) yield token
    } else {
      at = matchEnd(BLANK, text, start)
      if (at !== start) continue
      at = matchEnd(ATOM, text, start)
      if (at === start) yield { kind: 'open', raw: text[at++]! }
      else yield { kind: 'atom', raw: text.slice(start, at) }
    }
  }
}

const CLOSED = { '"': 'quoted', '[': 'literal', '(': 'open' } as const
const ENDS = { '"': '"', '[': ']', '(': ')' } as const

/** Behind the end of a quoted string, a literal or a comment (comments nest); -1 = there is none. */
function endOf(text: string, from: number, opening: keyof typeof ENDS): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at++
    else if (character === ENDS[opening] && at > from) {
      depth--
      if (depth === 0) return at + 1
    } else if (character === opening) depth++
  }
  return -1
}

function matchEnd(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : from
}
