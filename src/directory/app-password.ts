/**
 * App passwords: `[[app_password]]` in a user file, a password for one program that can be taken
 * back without the others. Pure: what the table says, and the text with one more or one less.
 *
 * They are stored as a salted digest and not as argon2id: made by a machine out of 80 random bits
 * they cannot be guessed however quick a guess is, and so a login may try all of a user's.
 */
import type { TomlDocument } from '../toml/toml.js'

export interface AppPassword {
  /** One of a kind among those of the user. */
  readonly name: string
  /** `{SSHA512}…` or `{SSHA256}…`. */
  readonly hash: string
  /** Protocols (as in `Peer`) that it opens; `null` = all. */
  readonly protocols: readonly string[] | null
  /** The last day on which it opens anything, `YYYY-MM-DD` in UTC; `null` = no such day. */
  readonly expires: string | null
}

/** Of one user: all are tried at each login. */
export const MAX_APP_PASSWORDS = 50
/** What an app password can be for. */
export const APP_PROTOCOLS: readonly string[] = ['pop3', 'smtp']
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u
const HASH = /^\{SSHA(?:256|512)\}[A-Za-z0-9+/]{44,300}={0,2}$/
const DAY = /^\d{4}-\d\d-\d\d$/
const KEYS: readonly string[] = ['name', 'hash', 'protocols', 'expires']

/** True for what can be the name of an app password: it is shown, and stands in a file of lines. */
export const isAppName = (name: string): boolean => NAME.test(name) && !name.endsWith(' ')

/** True for a day that the calendar has, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`)
  return DAY.test(text) && !Number.isNaN(date.getTime()) && dayOf(date.getTime()) === text
}

/** The day in UTC, `YYYY-MM-DD`. @param ms since 1970 */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** True if the app password may open that protocol on that day. */
export function opens({ protocols, expires }: AppPassword, protocol: string, day: string): boolean {
  return (protocols?.includes(protocol) ?? true) && (expires === null || day <= expires)
}

/** What is wrong with an entry, and where it stands. */
export interface AppPasswordProblem {
  readonly path: readonly (string | number)[]
  readonly what: string
}

/** The app passwords of a user file, or the first thing that is wrong with them. */
export function readAppPasswords(value: unknown): readonly AppPassword[] | AppPasswordProblem {
  const path = ['app_password']
  if (value === undefined) return []
  if (!Array.isArray(value)) return { path, what: 'app_password must be tables [[app_password]]' }
  if (value.length > MAX_APP_PASSWORDS)
    return { path, what: `a user has at most ${MAX_APP_PASSWORDS} app passwords` }
  const names = new Set<unknown>()
  for (const [index, entry] of value.entries()) {
    const problem = entryProblem(entry as unknown, names)
    if (problem !== null) return { path: [...path, index, problem.key], what: problem.what }
    names.add((entry as Record<string, unknown>)['name'])
  }
  return value.map((entry) => appPassword(entry as Record<string, unknown>))
}

/** True for a list of protocols: those of {@link APP_PROTOCOLS}, also none of them. */
export function isProtocols(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => APP_PROTOCOLS.includes(String(each)))
}

/** The text with one more, at its end. */
export function withAppPassword(table: string, app: AppPassword): string {
  const { name, hash, protocols, expires } = app
  const lines = [
    '[[app_password]]',
    `name = ${JSON.stringify(name)}`,
    `hash = ${JSON.stringify(hash)}`,
    ...(protocols === null ? [] : [`protocols = ${JSON.stringify(protocols)}`]),
    ...(expires === null ? [] : [`expires = ${JSON.stringify(expires)}`]),
  ]
  const before = table === '' ? '' : `${table.replace(/\n*$/, '\n')}\n`
  return `${before}${lines.join('\n')}\n`
}

/**
 * The text without the one of that index: its header and what follows up to the next header.
 * Comments above the next header stay, they are of that one.
 */
export function withoutAppPassword(table: string, toml: TomlDocument, index: number): string {
  const lines = table.split('\n')
  const first = (toml.locate(['app_password', index])?.line ?? 1) - 1
  const next = lines.findIndex((line, at) => at > first && /^\s*\[/.test(line))
  let end = next === -1 ? lines.length : next
  while (next !== -1 && end > first + 1 && /^\s*(?:#.*)?$/.test(lines[end - 1]!)) end--
  const rest = [...lines.slice(0, first), ...lines.slice(end)]
  return rest.join('\n').replace(/\n*$/, '\n')
}

type EntryProblem = { readonly key: string; readonly what: string } | null

function entryProblem(entry: unknown, names: ReadonlySet<unknown>): EntryProblem {
  if (typeof entry !== 'object' || entry === null) return { key: '', what: 'must be a table' }
  const { name, hash, protocols, expires } = entry as Record<string, unknown>
  const wrong = Object.keys(entry).find((key) => !KEYS.includes(key))
  // A misspelt "expires" must not leave a door open for ever.
  if (wrong !== undefined) return { key: wrong, what: `unknown key; known are ${KEYS.join(', ')}` }
  if (typeof name !== 'string' || !isAppName(name))
    return { key: 'name', what: 'name must be 1 to 64 letters, digits and ._@- or spaces' }
  if (names.has(name)) return { key: 'name', what: 'two app passwords have the same name' }
  if (typeof hash !== 'string' || !HASH.test(hash))
    return { key: 'hash', what: 'hash must be {SSHA512}…; make one: mailtap user app-password add' }
  if (protocols !== undefined && !isProtocols(protocols))
    return { key: 'protocols', what: `protocols must be a list out of ${APP_PROTOCOLS.join(', ')}` }
  const good = expires === undefined || (typeof expires === 'string' && isDay(expires))
  return good ? null : { key: 'expires', what: 'expires must be a day, such as "2030-12-31"' }
}

/** @param entry without a problem */
function appPassword({ name, hash, protocols, expires }: Record<string, unknown>): AppPassword {
  return {
    name: String(name),
    hash: String(hash),
    protocols: isProtocols(protocols) ? protocols : null,
    expires: typeof expires === 'string' ? expires : null,
  }
}
