/**
 * A name for a socket that the system takes. An address of a UNIX socket has room for 107 octets
 * (unix(7)), and Node cuts longer ones: the socket would be made somewhere else.
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

/** Octets, without the NUL behind them. */
const MAX_PATH = 107

export interface ShortPath {
  /** Good until `release`. */
  readonly path: string
  release(): Promise<void>
}

/** @throws what the system says of the directory, or Error where there is no way to name it shorter */
export async function shortPathOf(path: string): Promise<ShortPath> {
  if (Buffer.byteLength(path) <= MAX_PATH) return { path, release: async () => {} }
  if (process.platform !== 'linux')
    throw new Error(`${path}: too long for a socket; name a shorter state directory`)
  const directory = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  const short = `/proc/self/fd/${directory.fd}/${basename(path)}`
  return { path: short, release: () => directory.close() }
}
