/** Cuts what has not the right form out of the settings, so that the rest can still be looked at. */
import type { Path } from './source.js'

/**
 * A copy without the values at those paths. Where a value is missing, the
 * table that lacks it goes.
 */
export function prune(value: unknown, paths: readonly Path[]): unknown {
  const copy: unknown = structuredClone(value)
  for (const path of paths) cut(copy, path)
  return copy
}

function cut(root: unknown, path: Path): void {
  const key = path.at(-1)
  if (key === undefined) return
  const parent = path.slice(0, -1).reduce<unknown>(child, root)
  if (!isObject(parent)) return
  if (Object.hasOwn(parent, key)) Reflect.deleteProperty(parent, key)
  else cut(root, path.slice(0, -1))
}

function child(parent: unknown, key: string | number): unknown {
  return isObject(parent) && Object.hasOwn(parent, key) ? Reflect.get(parent, key) : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
