/** A log that a test can read. */
import type { Fields, Log } from '../../src/log/log.js'

export interface KeptLog extends Log {
  readonly events: { readonly event: string; readonly fields: Fields }[]
  /** The events of this name. */
  of(event: string): Fields[]
}

export function keptLog(): KeptLog {
  const events: { event: string; fields: Fields }[] = []
  const note = (event: string, fields: Fields = {}): void => void events.push({ event, fields })
  const of = (event: string): Fields[] =>
    events.filter((each) => each.event === event).map(({ fields }) => fields)
  return { events, of, debug: note, info: note, warn: note, error: note }
}
