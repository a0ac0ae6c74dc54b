/**
 * The argument of a checker as people write it: a target (a path, a URL), then `;key=value` as often
 * as need be. The semicolon, since names in LDAP, queries and URLs are full of everything else.
 */
import { isAbsolute } from 'node:path'
import { BadChecker } from './checker-type.js'

/** Characters; a long query has room. */
const MAX_ARGUMENT = 4_096
const PAIR = /^([a-z][a-z0-9_]*)=(.*)$/s
const SECONDS = /^[1-9]\d?$/

export class Argument {
  /** What stood first; empty if there was nothing. */
  readonly target: string
  readonly #type: string
  readonly #values = new Map<string, string>()

  /**
   * @param known the keys that there are
   * @throws BadChecker
   */
  constructor(type: string, text: string | null, known: readonly string[]) {
    this.#type = type
    const [target = '', ...pairs] = (text ?? '').slice(0, MAX_ARGUMENT + 1).split(';')
    if ((text?.length ?? 0) > MAX_ARGUMENT) throw this.bad('the argument is too long')
    this.target = target
    for (const pair of pairs) this.#take(pair, known)
  }

  get(key: string): string | null {
    return this.#values.get(key) ?? null
  }

  /** @throws BadChecker if it is missing */
  needed(key: string): string {
    const value = this.get(key)
    if (value === null || value === '') throw this.bad(`${key}= is missing`)
    return value
  }

  /** The target as a path. @throws BadChecker unless it is an absolute one */
  path(what: string): string {
    if (isAbsolute(this.target)) return this.target
    throw this.bad(`write the absolute path of ${what} after the colon`)
  }

  /** A file that a key names. @throws BadChecker unless the path is absolute */
  file(key: string): string | null {
    const path = this.get(key)
    if (path === null || isAbsolute(path)) return path
    throw this.bad(`${key}= takes an absolute path`)
  }

  /** Milliseconds that a question may take. @throws BadChecker */
  timeoutMs(fallback: number): number {
    const text = this.get('timeout')
    if (text === null) return fallback
    if (SECONDS.test(text)) return Number(text) * 1000
    throw this.bad('timeout= takes 1 to 99 seconds')
  }

  /** One of a few words, the first of them unless something is said. @throws BadChecker */
  word<W extends string>(key: string, words: readonly [W, ...W[]]): W {
    const said = this.get(key)
    if (said === null) return words[0]
    const word = words.find((each) => each === said)
    if (word === undefined) throw this.bad(`${key}= takes ${words.join(' or ')}`)
    return word
  }

  /** What is wrong, in a form that names the type. Never put a value in: it may be a secret. */
  bad(what: string): BadChecker {
    return new BadChecker(`the checker "${this.#type}": ${what}`)
  }

  #take(pair: string, known: readonly string[]): void {
    const [, key = '', value = ''] = PAIR.exec(pair) ?? []
    if (!known.includes(key)) {
      const may = known.length === 0 ? 'it takes none' : `known are ${known.join(', ')}`
      throw this.bad(`after a semicolon stands key=value; ${may}`)
    }
    if (this.#values.has(key)) throw this.bad(`${key}= is given twice`)
    this.#values.set(key, value)
  }
}
