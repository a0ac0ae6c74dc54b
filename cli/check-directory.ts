/** What `mailtap check` tells of a directory, whatever is in it. */
import { access, constants, lstat, stat } from 'node:fs/promises'
import { errorCode } from '../maildir/maildir.js'
import type { Findings } from './findings.js'

/** Permission bits of the group and of everybody else. */
export const OTHERS = 0o077

/** Warns when others get into it; a link to it is as good. @throws the system's error when we do not */
export async function checkDirectory(path: string, findings: Findings): Promise<void> {
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
  const { mode } = await stat(path)
  if ((mode & OTHERS) === 0) return
  findings.warning(
    `${path}: others on this machine get into it (mode ${octal(mode)}); run: chmod 700 ${path}`,
  )
}

/** True if nothing has that name. */
export async function missing(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return false
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return true
    throw error
  }
}

/** Permissions as chmod(1) takes them. */
export const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0')
