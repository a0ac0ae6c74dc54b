/** `mailtap hash`: makes what stands in a user file, so that scripts can make users. */
import type { NewScheme } from '../src/checkers/new-login.js'
import { UnusableHash, verifyPassword } from '../src/checkers/passwords.js'
import { parseUserFile, UserFileError } from '../src/directory/user-file.js'
import type { Command, Given } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { newPassword, oldPassword, PASSWORD_OPTIONS } from './password-input.js'
import { readStart } from './read-start.js'
import { SCHEME, schemeOf, storedForm, warnOf } from './scheme.js'
import { complain, say } from './terminal.js'

/** Bytes of a user file. */
const MAX_FILE = 65_536

export const hash: Command = {
  name: 'hash',
  summary: 'make a password hash for a user file: mailtap hash > Maildir/.users/bob',
  options: [
    ...PASSWORD_OPTIONS,
    SCHEME,
    { flags: '--verify <file>', help: 'tell whether the password is the one in this user file' },
  ],
  run: makeOrVerify,
}

async function makeOrVerify(given: Given): Promise<void> {
  const file = given.last('verify')
  const scheme = schemeOf(given)
  if (file !== null && given.has('scheme'))
    throw usage('--verify takes the scheme from the file; leave out -s')
  await (file === null ? make(given, scheme) : verify(given, file))
}

/** Only the hash goes to stdout: that is redirected into a user file. */
async function make(given: Given, scheme: NewScheme): Promise<void> {
  const password = await newPassword('the hash', given)
  warnOf(scheme)
  say(await storedForm(password.text, scheme))
  if (password.generated) complain(`password ${password.text}`)
}

async function verify(given: Given, file: string): Promise<void> {
  const stored = await storedIn(file)
  const password = await oldPassword(file, given)
  if (!(await isRight(stored, password, file))) {
    throw new Failure(Exit.badData, `${file}: the password is another one`)
  }
  say('the password is right')
}

async function isRight(stored: string, password: string, file: string): Promise<boolean> {
  try {
    return await verifyPassword(stored, password)
  } catch (error) {
    if (!(error instanceof UnusableHash)) throw error
    throw new Failure(Exit.badData, `${file}: ${error.message}`, { cause: error })
  }
}

async function storedIn(file: string): Promise<string> {
  try {
    const { password } = parseUserFile((await readStart(file, MAX_FILE)).toString(), file)
    if (password !== null) return password
  } catch (error) {
    if (!(error instanceof UserFileError)) throw error
    throw new Failure(Exit.badData, error.message, { cause: error })
  }
  throw new Failure(
    Exit.badData,
    `${file}: no login; there is no password in it, or it is locked with !`,
  )
}
