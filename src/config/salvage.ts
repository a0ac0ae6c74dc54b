/** What is left of settings that have not the right form, so that it can be looked at further. */
import { checkForm, type FormProblem, type Settings } from './schema.js'
import type { Path } from './source.js'

/** A bad path makes its domain bad, that might make the table bad: no deeper. */
const MAX_ROUNDS = 4

/** The settings without what is wrong, or `null` when nothing is left. */
export function salvage(value: unknown, problems: readonly FormProblem[]): Settings | null {
  let rest = value
  let found = problems
  for (let round = 0; round < MAX_ROUNDS; round++) {
    rest = prune(rest, found)
    const checked = checkForm(rest)
    if (checked.settings !== null) return checked.settings
    found = checked.problems
  }
  return null
}

/**
 * A copy without the values at those paths. Where a value is missing, the
 * table that lacks it goes; a list with a bad element goes whole.
 */
function prune(value: unknown, problems: readonly FormProblem[]): unknown {
  const copy: unknown = structuredClone(value)
  for (const { path } of problems) cut(copy, path)
  return copy
}

function cut(root: unknown, path: Path): void {
  const key = path.at(-1)
  if (key === undefined) return
  const parent = path.slice(0, -1).reduce<unknown>(child, root)
  if (!isObject(parent)) return
  if (!Array.isArray(parent) && Object.hasOwn(parent, key)) Reflect.deleteProperty(parent, key)
  else cut(root, path.slice(0, -1))
}

function child(parent: unknown, key: string | number): unknown {
  return isObject(parent) && Object.hasOwn(parent, key) ? Reflect.get(parent, key) : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
