/** Makes the log that the settings ask for. */
import type { Writable } from 'node:stream'
import { jsonForm } from './json.js'
import type { Form, Level, Log } from './log.js'
import { Sink } from './sink.js'
import { textForm } from './text.js'

export interface LogSettings {
  readonly format: 'text' | 'json'
  /** Events below it are not written. */
  readonly level: Level
}

const FORMS: Readonly<Record<LogSettings['format'], Form>> = { text: textForm, json: jsonForm }
const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']
const ignore = (): void => {}

/** @param write takes one whole line at a time, its LF included; must not throw */
export function createLog(settings: LogSettings & { write: (line: string) => void }): Log {
  const emit = FORMS[settings.format](settings.write)
  const lowest = LEVELS.indexOf(settings.level)
  const at = (level: Level): Log[Level] =>
    LEVELS.indexOf(level) < lowest ? ignore : (event, fields) => emit(level, event, fields)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/**
 * A log on a stream, in most cases stdout. It never throws and never waits:
 * when the stream cannot take its lines they are lost, and counted.
 */
export function openLog(
  settings: LogSettings,
  stream: Writable,
): { readonly log: Log; flush(): Promise<void> } {
  // An error, so that no level hides it.
  const sink = new Sink(stream, (lines) => log.error('log lines lost', { lines }))
  const log = createLog({ ...settings, write: (line) => sink.write(line) })
  return { log, flush: () => sink.flush() }
}
