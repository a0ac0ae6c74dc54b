/**
 * What a user file says: either one line that is the password hash, or TOML
 * with `password` and more. Pure: text in, values out.
 */
import { TomlError, parseToml, type TomlDocument } from '../toml/toml.js'

export interface UserFile {
  /** The stored form; `null` = no login (`!`, or no password at all). */
  readonly password: string | null
  readonly disabled: boolean
  readonly name: string | null
  /** Settings that stand in the file and have no effect yet. */
  readonly unsupported: readonly string[]
}

/** The text is no user file. The message begins with the file and never shows what stands in it. */
export class UserFileError extends Error {
  override readonly name = 'UserFileError'
}

/** The settings that have an effect. */
const KNOWN: Readonly<Record<string, 'string' | 'boolean'>> = {
  password: 'string',
  disabled: 'boolean',
  name: 'string',
}
/** The settings of product.md that have none yet. */
const LATER = ['quota', 'forward', 'keep', 'app_password']
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
 * The same file with another password; everything else in it stays.
 * @param stored in the form that is stored; one line
 * @throws UserFileError when the file is broken, or too unusual to be edited by a machine
 */
export function withPassword(text: string, stored: string, file: string): string {
  if (text === '' || ONE_LINE.test(text)) {
    const rest = text
      .split('\n')
      .slice(1)
      .filter((line) => line.trim() !== '')
    return [stored, ...rest, ''].join('\n')
  }
  const entry = `password = ${JSON.stringify(stored)}`
  const place = parse(text, file).locate(['password'])
  const lines = text.split('\n')
  // A key of the top table must come before the first [table].
  lines.splice(place === null ? 0 : place.line - 1, place === null ? 0 : 1, entry)
  const edited = lines.join('\n')
  if (parseUserFile(edited, file).password === stored) return edited
  throw new UserFileError(`${file}: the password is written in an unusual way; edit it by hand`)
}

/** A trailing newline is not part of the password; spaces are. */
function parseLine(text: string): UserFile {
  const [line = '', ...more] = text.split(/\r?\n/)
  const rest = more.some((other) => other.trim() !== '')
  return {
    password: usable(line),
    disabled: false,
    name: null,
    unsupported: rest ? ['the lines after the first'] : [],
  }
}

function parseTable(text: string, file: string): UserFile {
  const toml = parse(text, file)
  for (const name of Object.keys(toml.value)) checkEntry(toml, name, file)
  const { password, disabled, name } = toml.value
  return {
    password: typeof password === 'string' ? usable(password) : null,
    disabled: disabled === true,
    name: typeof name === 'string' ? name : null,
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
  if (typeof value !== type) throw new UserFileError(`${at}: ${name} must be a ${type}`)
  if (name === 'password' && /[\r\n]/.test(String(value))) {
    throw new UserFileError(`${at}: password must be one line`)
  }
}

/** `!` locks, as in shadow(5), also in front of a hash that is kept for later. */
function usable(password: string): string | null {
  return password === '' || password.startsWith('!') ? null : password
}
