/** Two domains must not share files. */
import { sep } from 'node:path'

/** True if one of two absolute directories is, holds or lies in the other. */
export function overlap(one: string, other: string): boolean {
  return inside(one, other) || inside(other, one)
}

function inside(path: string, directory: string): boolean {
  return withSep(path).startsWith(withSep(directory))
}

function withSep(path: string): string {
  return path.endsWith(sep) ? path : `${path}${sep}`
}
