/** Two domains must not share files. */
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'

/** True if one of two absolute directories is, holds or lies in the other. */
export function overlap(one: string, other: string): boolean {
  return inside(one, other) || inside(other, one)
}

/** True if an absolute path is that directory or lies in it. */
export function inside(path: string, directory: string): boolean {
  return withSep(path).startsWith(withSep(directory))
}

/**
 * An absolute path without symbolic links, as far as it leads to something: one
 * directory can have many paths and has one of these.
 */
export async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const above = dirname(path)
    return above === path ? path : join(await realPath(above), basename(path))
  }
}

function withSep(path: string): string {
  return path.endsWith(sep) ? path : `${path}${sep}`
}
