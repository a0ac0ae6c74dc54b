/** `mailtap dkim txt`: the DNS records that others verify our signatures with, as lines of a zone file. */
import type { Config } from '../src/config/config.js'
import { type DomainKey, readKeys, signingAt, TAKES_OVER_AFTER_MS } from '../src/dkim/key-files.js'
import { keyFolder } from '../src/dkim/key-folder.js'
import { keyRecord } from '../src/dkim/record.js'
import { parseDomain } from '../src/mail/address.js'
import { ownDomain } from './account.js'
import type { Given } from './command.js'
import { Exit, Failure } from './exit.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

/** `next` = signs from a time on, `old` = another one took over. */
type State = 'signs' | 'next' | 'old'

interface Line {
  readonly domain: string
  readonly selector: string
  readonly algorithm: string
  readonly state: State
  /** When it takes over; `null` = it has, or will not. */
  readonly signsFrom: string | null
  readonly file: string
  readonly name: string
  readonly strings: readonly string[]
}

/** @throws Failure */
export async function txt(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const said = given.argument ?? ''
  const domain = ownDomain(config, said)
  const name = parseDomain(said)
  await sayKeys(given, config, [name ?? domain])
}

/**
 * Prints the records of all keys, or of some.
 * @param domains a domain, or an alias of it; a domain brings its aliases, as they sign, too
 * @throws Failure
 */
export async function sayKeys(
  given: Given,
  config: Config,
  domains: readonly string[],
  files?: readonly string[],
): Promise<void> {
  const names = domains.flatMap((domain) => [domain, ...aliasesOf(config, domain)])
  const folder = keyFolder(config, names[0]!)!
  const keys = await readKeys(folder)
  if (keys.length === 0) {
    const what = `${folder}: no keys; make some: mailtap dkim generate ${names[0]!}`
    throw new Failure(Exit.unavailable, what)
  }
  const chosen = keys.filter(({ path }) => files?.includes(path) ?? true)
  const lines = names.flatMap((name) => chosen.map((key) => lineOf(key, keys, name)))
  if (given.has('json')) return sayJson(lines)
  for (const line of lines) sayLine(line)
}

function aliasesOf({ aliasDomains }: Config, domain: string): string[] {
  return Object.keys(aliasDomains).filter((alias) => aliasDomains[alias] === domain)
}

function lineOf(key: DomainKey, all: readonly DomainKey[], domain: string): Line {
  const { selector, algorithm, path: file, since } = key
  const now = Date.now()
  const takesOver = since + TAKES_OVER_AFTER_MS
  const waits = takesOver > now
  const rest = waits ? 'next' : 'old'
  const state = signingAt(all, now).includes(key) ? 'signs' : rest
  const signsFrom = state === 'next' ? new Date(takesOver).toISOString() : null
  return { domain, selector, algorithm, state, signsFrom, file, ...keyRecord(key, domain) }
}

function sayLine({ name, strings, state, signsFrom, file }: Line): void {
  const words: Readonly<Record<State, string>> = {
    signs: 'signs now',
    next: `signs from ${signsFrom} on; this must be in the DNS by then`,
    old: `signs no more; a week after another one took over, remove it and ${file}`,
  }
  say(`; ${words[state]}`)
  say(`${name}. 3600 IN TXT ( ${strings.map((text) => `"${text}"`).join(' ')} )`)
}
