/** What `mailtap check` tells of one user file. */
import { lstat } from 'node:fs/promises'
import { errorCode } from '../maildir/maildir.js'
import { passwordProblem } from '../src/checkers/passwords.js'
import { parseScram } from '../src/cred/scram.js'
import type { UserFile } from '../src/directory/user-file.js'
import type { Users } from '../src/directory/users.js'
import { formatAddress, type Address } from '../src/mail/address.js'
import { octal, OTHERS } from './check-directory.js'
import type { Findings } from './findings.js'

/** @param file the user's, which is there */
export async function checkUser(
  file: string,
  address: Address,
  users: Users,
  findings: Findings,
): Promise<void> {
  const user = await readUser(users, address.local, findings, file)
  if (user === null) return
  if (user.unsupported.length > 0)
    findings.warning(`${file}: without effect in this version: ${user.unsupported.join(', ')}`)
  checkLogin(file, address, user, findings)
  const { mode } = await lstat(file)
  if ((mode & OTHERS) === 0) return
  findings.warning(
    `${file}: more than its owner may read it (mode ${octal(mode)}); run: chmod 600 ${file}`,
  )
}

/** Nobody notices these until somebody tries to log in, and then it looks like a fault that passes. */
function checkLogin(
  file: string,
  address: Address,
  { password, scram, disabled }: UserFile,
  findings: Findings,
): void {
  if (disabled || password === null) return
  const remedy = `run: mailtap user passwd ${formatAddress(address)}`
  const problem = passwordProblem(password)
  if (problem !== null) findings.error(`${file}: nobody can log in, ${problem}; ${remedy}`)
  if (scram !== null && parseScram(scram) === null)
    findings.error(`${file}: scram holds no keys of SCRAM-SHA-256; ${remedy}`)
}

/** What the directory says in a plain error is meant for people. */
async function readUser(
  users: Users,
  local: string,
  findings: Findings,
  file: string,
): Promise<UserFile | null> {
  try {
    return await users.readPrivate(local)
  } catch (error) {
    if (errorCode(error) !== undefined || !(error instanceof Error)) throw error
    findings.error(error.message.includes(file) ? error.message : `${file}: ${error.message}`)
    return null
  }
}
