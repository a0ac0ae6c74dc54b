/** The log line for programs: one JSON object. The one door to pino. */
import { pino, stdTimeFunctions } from 'pino'
import { cut, escapeUnseen } from './clean.js'
import type { Fields, Form } from './log.js'

/**
 * `{"level":"info","time":"2026-…Z","id":"…","event":"smtp accepted"}` and LF.
 * Pino's core only: its transports are threads, and the sink does what is needed here.
 */
export const jsonForm: Form = (write) => {
  const logger = pino(
    {
      base: null,
      level: 'debug',
      messageKey: 'event',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => write(harmless(line)) },
  )
  return (level, event, fields) => {
    logger[level](shortened(fields), event)
  }
}

/** JSON escapes control characters only; the line end is ours and stays. */
function harmless(line: string): string {
  return `${escapeUnseen(line.slice(0, -1))}\n`
}

function shortened(fields: Fields = {}): Fields {
  const short: Record<string, Fields[string]> = {}
  for (const name in fields) {
    const value = fields[name]
    short[name] = typeof value === 'string' ? cut(value) : value
  }
  return short
}
