/** What root makes in a domain belongs to the owner of the domain, or the server could not read it. */
import { chown, stat } from 'node:fs/promises'

/** Gives files to the owner of a directory; does nothing unless we are root. */
export async function giveToOwnerOf(directory: string, paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = await stat(directory)
  for (const path of paths) await chown(path, uid, gid)
}
