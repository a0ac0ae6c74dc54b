/** The message that rows may mark as deleted, though a faulty server could then remove it. */
import type { Bench } from './row.js'

/**
 * A test message; without one, and only where anything may be lost, a new message. Not the last one
 * if there is a choice: how those behind it are numbered is looked at.
 */
export function scapegoat({
  drop,
  destructive,
}: Pick<Bench, 'drop' | 'destructive'>): number | null {
  const test = drop.mails.find(({ marker }) => marker !== null)?.number
  if (test !== undefined) return test
  if (!destructive) return null
  const [newest, before] = [...drop.sizes.keys()].toReversed()
  return before ?? newest ?? null
}
