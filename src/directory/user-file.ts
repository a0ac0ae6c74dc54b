/**
 * What a user file says: either one line that is the password hash, or TOML
 * with `password` and more. Pure: text in, values out.
 */
import type { Address } from '../mail/address.js'
import { LMTP_FORM, type LmtpPlace, parseLmtpPlace } from '../mail/lmtp-place.js'
import { parseQuota, type Quota, QUOTA_FORM } from '../mail/quota.js'
import { TomlError, parseToml, type TomlDocument } from '../toml/toml.js'
import { type AppPassword, APP_PROTOCOLS, isProtocols, readAppPasswords } from './app-password.js'
import { FORWARD_FORM, parseForward } from './forward.js'

export interface UserFile {
  /** The stored form; `null` = no login (`!`, or no password at all). */
  readonly password: string | null
  /** The keys of SCRAM, as they stand there; `null` also where the password is locked or missing. */
  readonly scram: string | null
  /** Protocols that the password itself opens; `null` = all. */
  readonly passwordProtocols: readonly string[] | null
  readonly appPasswords: readonly AppPassword[]
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
const KNOWN: Readonly<Record<string, 'string' | 'boolean' | 'list' | 'protocols' | 'tables'>> = {
  password: 'string',
  scram: 'string',
  password_protocols: 'protocols',
  app_password: 'tables',
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
  if (oneLine && scram === null) return [stored, ...laterLines(text), ''].join('\n')
  const table = oneLine ? commented(laterLines(text)) : text
  const unlocked = withEntry(table, 'scram', scramEntry(scram), file)
  const edited = withEntry(unlocked, 'password', `password = ${JSON.stringify(stored)}`, file)
  const user = parseUserFile(edited, file)
  const locked = usable(stored) === null
  if (user.password === usable(stored) && (locked || user.scram === scram)) return edited
  throw new UserFileError(`${file}: the password is written in an unusual way; edit it by hand`)
}

/** The same file as TOML: one that is, as it is. */
export function asTable(text: string): string {
  if (!ONE_LINE.test(text)) return text
  const [line = ''] = text.split(/\r?\n/)
  return `password = ${JSON.stringify(line)}\n${commented(laterLines(text))}`
}

/** What has no effect after a line would have one in a table, or break it. */
const commented = (lines: readonly string[]): string => lines.map((line) => `# ${line}\n`).join('')

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
    passwordProtocols: null,
    appPasswords: [],
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
  const protocols = toml.value['password_protocols']
  const password =
    typeof toml.value['password'] === 'string' ? usable(toml.value['password']) : null
  return {
    password,
    // Who locks the password means to lock the account.
    scram: typeof scram === 'string' && password !== null ? scram : null,
    passwordProtocols: isProtocols(protocols) ? protocols : null,
    appPasswords: appPasswordsOf(toml, file),
    disabled: disabled === true,
    name: typeof name === 'string' ? name : null,
    quota: typeof quota === 'string' ? parseQuota(quota) : null,
    forward: parseForward(forward) ?? [],
    keep: keep === true,
    deliver: typeof deliver === 'string' ? parseLmtpPlace(deliver) : null,
    unsupported: [],
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
  const { line, column } = toml.locate([name]) ?? { line: 1, column: 1 }
  const at = `${file}:${line}:${column}`
  const type = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined
  // A misspelt "disabled" must not leave somebody enabled.
  if (type === undefined) {
    throw new UserFileError(`${at}: unknown key; known are ${Object.keys(KNOWN).join(', ')}`)
  }
  const value = toml.value[name]
  if (type === 'tables') return
  if (type === 'protocols') {
    if (isProtocols(value)) return
    throw new UserFileError(`${at}: ${name} must be a list out of ${APP_PROTOCOLS.join(', ')}`)
  }
  if (type === 'list') {
    if (parseForward(value) === null)
      throw new UserFileError(`${at}: ${name} must be ${FORWARD_FORM}`)
    return
  }
  if (typeof value !== type) throw new UserFileError(`${at}: ${name} must be a ${type}`)
  const [good, form] = FORMS[name] ?? []
  if (good?.(String(value)) === false) throw new UserFileError(`${at}: ${name} must be ${form}`)
}

/** @throws UserFileError at the first that is wrong */
function appPasswordsOf(toml: TomlDocument, file: string): readonly AppPassword[] {
  const read = readAppPasswords(toml.value['app_password'])
  if (!('what' in read)) return read
  const { line, column } = toml.locate(read.path) ?? { line: 1, column: 1 }
  throw new UserFileError(`${file}:${line}:${column}: ${read.what}`)
}

/** `!` locks, as in shadow(5), also in front of a hash that is kept for later. */
function usable(password: string): string | null {
  return password === '' || password.startsWith('!') ? null : password
}
