/**
 * Whose rights a delivery outside the mailboxes has. Aliases are written by
 * whoever owns the domain's directory; a server that runs as root must not
 * lend them its rights.
 */
import { stat } from 'node:fs/promises'
import { misconfigured, tryLater } from '../mail/refusal.js'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** A domain's directory; `null` if the domain is gone. Domain in canonical form. */
export type DirectoryOf = (domain: string) => string | null

/** The domain's directory. @throws Refusal when there is none (any more) */
export function requireDirectoryOf(directoryOf: DirectoryOf, domain: string): string {
  const directory = directoryOf(domain)
  if (directory === null) throw tryLater(new Error(`${domain} is not a domain of this server`))
  return directory
}

/**
 * Who owns the domain's directory, if this process is root and may be anybody;
 * `null` if it is what it is.
 * @throws the system's error
 */
export async function ownerIfRoot(directory: string): Promise<Owner | null> {
  if (process.getuid?.() !== 0) return null
  const { uid, gid } = await stat(directory)
  return { uid, gid }
}

/** For programs: never root. @throws Refusal */
export function refuseRoot(owner: Owner | null, directory: string): void {
  if (owner === null || (owner.uid !== 0 && owner.gid !== 0)) return
  const what = `${directory} belongs to root, and no program runs as root; give it to a user (chown)`
  throw misconfigured(new Error(what))
}
