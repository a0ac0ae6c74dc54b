/** The text of a user file with one app password more or less; everything else in it stays. Pure. */
import { TomlError, parseToml } from '../toml/toml.js'
import { type AppPassword, withAppPassword, withoutAppPassword } from './app-password.js'
import { asTable, parseUserFile, UserFileError, type UserFile } from './user-file.js'

/**
 * @param text of a user file, of either form
 * @param file named in errors
 * @throws UserFileError when there is one of that name, or the file is broken
 */
export function addAppPassword(text: string, app: AppPassword, file: string): string {
  const before = parseUserFile(text, file)
  const edited = withAppPassword(asTable(text), app)
  return checked(edited, { ...before, appPasswords: [...before.appPasswords, app] }, file)
}

/**
 * @returns `null` if there is none of that name
 * @throws UserFileError when the file is broken, or too unusual to be edited by a machine
 */
export function removeAppPassword(text: string, name: string, file: string): string | null {
  const before = parseUserFile(text, file)
  const index = before.appPasswords.findIndex((each) => each.name === name)
  if (index === -1) return null
  const appPasswords = before.appPasswords.toSpliced(index, 1)
  const edited = withoutAppPassword(text, parseToml(text, file), index)
  return checked(edited, { ...before, appPasswords }, file)
}

/** @throws UserFileError unless the text says just that */
function checked(edited: string, wanted: UserFile, file: string): string {
  const { unsupported: _, ...rest } = wanted
  const { unsupported: __, ...said } = readBack(edited, file)
  if (JSON.stringify(said) === JSON.stringify(rest)) return edited
  throw unusual(file)
}

function readBack(edited: string, file: string): UserFile {
  try {
    return parseUserFile(edited, file)
  } catch (error) {
    if (error instanceof TomlError) throw unusual(file)
    throw error
  }
}

const unusual = (file: string): UserFileError =>
  new UserFileError(`${file}: app passwords are written in an unusual way; edit it by hand`)
