/**
 * What a user file says: either one line that is the password hash, or TOML
 * with `password` and more. Pure: text in, values out.
 */
import type { Address } from '../mail/address.js'
import { LMTP_FORM, type LmtpPlace, parseLmtpPlace } from '../mail/lmtp-place.js'
import { parseQuota, type Quota, QUOTA_FORM } from '../mail/quota.js'
import { TomlError, parseToml, type TomlDocument } from '../toml/toml.js'
import { FORWARD_FORM, parseForward } from './forward.js'

export interface UserFile {
  /** The stored form; `null` = no login (`!`, or no password at all). */
  readonly password: string | null
  /** The keys of SCRAM, as they stand there; `null` also where the password is locked or missing. */
  readonly scram: string | null
  readonly disabled: boolean
  readonly name: string | null
  /** `null` = not said: the domain's setting counts. */
  readonly quota: Quota | null
  /** Where mail goes instead of the mailbox; empty if it stays. */
  readonly forward: readonly Address[]
  /** Forwarded mail stays here, too. */
  readonly keep: boolean
  /** `null` = not said: the domain's setting counts. */
  readonly deliver: LmtpPlace | null
  /** Settings that stand in the file and have no effect yet. */
  readonly unsupported: readonly string[]
}

/** The text is no user file. The message begins with the file and never shows what stands in it. */
export class UserFileError extends Error {
  override readonly name = 'UserFileError'
}

/** The settings that have an effect. */
const KNOWN: Readonly<Record<string, 'string' | 'boolean' | 'list'>> = {
  password: 'string',
  scram: 'string',
  disabled: 'boolean',
  name: 'string',
  quota: 'string',
  forward: 'list',
  keep: 'boolean',
  deliver: 'string',
}
/** What a text must be, where not every text will do. */
const FORMS: Readonly<Record<string, readonly [good: (text: string) => boolean, form: string]>> = {
  password: [(text) => !/[\r\n]/.test(text), 'one line'],
  quota: [(text) => parseQuota(text) !== null, QUOTA_FORM],
  deliver: [(text) => parseLmtpPlace(text) !== null, LMTP_FORM],
}
/** The settings of product.md that have none yet. */
const LATER = ['app_password']
/** No TOML begins with these: `$argon2id$…`, `{SCHEME}…`, `!`. */
const ONE_LINE = /^[$!{]/

/**
 * @param file named in errors, never opened
 * @throws UserFileError
 */
export function parseUserFile(text: string, file: string): UserFile {
  return ONE_LINE.test(text) ? parseLine(text) : parseTable(text, file)
}

/**
 * The same file with another password; everything else in it stays. The keys
 * of the old password go with it: they would still open the account.
 * @param stored in the form that is stored; one line
 * @param scram keys of the same password; one line
 * @throws UserFileError when the file is broken, or too unusual to be edited by a machine
 */
export function withPassword(
  text: string,
  stored: string,
  file: string,
  scram: string | null = null,
): string {
  const oneLine = text === '' || ONE_LINE.test(text)
  const rest = oneLine ? laterLines(text) : []
  if (oneLine && scram === null) return [stored, ...rest, ''].join('\n')
  // What has no effect after a line would have one in a table, or break it.
  const table = oneLine ? rest.map((line) => `# ${line}\n`).join('') : text
  const unlocked = withEntry(table, 'scram', scramEntry(scram), file)
  const edited = withEntry(unlocked, 'password', `password = ${JSON.stringify(stored)}`, file)
  const user = parseUserFile(edited, file)
  const locked = usable(stored) === null
  if (user.password === usable(stored) && (locked || user.scram === scram)) return edited
  throw new UserFileError(`${file}: the password is written in an unusual way; edit it by hand`)
}

function laterLines(text: string): string[] {
  const [, ...lines] = text.split('\n')
  return lines.filter((line) => line.trim() !== '')
}

function scramEntry(scram: string | null): string | null {
  if (scram === null) return null
  return `scram = ${JSON.stringify(scram)} # keys of the same password: they change together`
}

/** With that line in place of the one that sets the key; without it, if there is no entry. */
function withEntry(text: string, key: string, entry: string | null, file: string): string {
  const toml = parse(text, file)
  const place = Object.hasOwn(toml.value, key) ? toml.locate([key]) : null
  const lines = text.split('\n')
  // A key of the top table must come before the first [table].
  const at = place === null ? 0 : place.line - 1
  lines.splice(at, place === null ? 0 : 1, ...(entry === null ? [] : [entry]))
  return lines.join('\n')
}

/** A trailing newline is not part of the password; spaces are. */
function parseLine(text: string): UserFile {
  const [line = '', ...more] = text.split(/\r?\n/)
  const rest = more.some((other) => other.trim() !== '')
  return {
    password: usable(line),
    scram: null,
    disabled: false,
    name: null,
    quota: null,
    forward: [],
    keep: false,
    deliver: null,
    unsupported: rest ? ['the lines after the first'] : [],
  }
}

function parseTable(text: string, file: string): UserFile {
  const toml = parse(text, file)
  for (const name of Object.keys(toml.value)) checkEntry(toml, name, file)
  const { scram, disabled, name, quota, forward, keep, deliver } = toml.value
  const password =
    typeof toml.value['password'] === 'string' ? usable(toml.value['password']) : null
  return {
    password,
    // Who locks the password means to lock the account.
    scram: typeof scram === 'string' && password !== null ? scram : null,
    disabled: disabled === true,
    name: typeof name === 'string' ? name : null,
    quota: typeof quota === 'string' ? parseQuota(quota) : null,
    forward: parseForward(forward) ?? [],
    keep: keep === true,
    deliver: typeof deliver === 'string' ? parseLmtpPlace(deliver) : null,
    unsupported: Object.keys(toml.value).filter((known) => LATER.includes(known)),
  }
}

/** The parser's message may quote the text, and the text may be a password: only the place is told. */
function parse(text: string, file: string): TomlDocument {
  try {
    return parseToml(text, file)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const { line, column } = error.place
    throw new UserFileError(
      `${file}:${line}:${column}: neither a password hash ($argon2id$…, {SCHEME}…, !) nor TOML`,
    )
  }
}

function checkEntry(toml: TomlDocument, name: string, file: string): void {
  if (LATER.includes(name)) return
  const { line, column } = toml.locate([name]) ?? { line: 1, column: 1 }
  const at = `${file}:${line}:${column}`
  const type = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined
  // A misspelt "disabled" must not leave somebody enabled.
  if (type === undefined) {
    throw new UserFileError(
      `${at}: unknown key; known are ${[...Object.keys(KNOWN), ...LATER].join(', ')}`,
    )
  }
  const value = toml.value[name]
  if (type === 'list') {
    if (parseForward(value) === null)
      throw new UserFileError(`${at}: ${name} must be ${FORWARD_FORM}`)
    return
  }
  if (typeof value !== type) throw new UserFileError(`${at}: ${name} must be a ${type}`)
  const [good, form] = FORMS[name] ?? []
  if (good?.(String(value)) === false) throw new UserFileError(`${at}: ${name} must be ${form}`)
}

/** `!` locks, as in shadow(5), also in front of a hash that is kept for later. */
function usable(password: string): string | null {
  return password === '' || password.startsWith('!') ? null : password
}
