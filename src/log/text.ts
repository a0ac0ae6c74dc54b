/**
 * The log line for people and for grep: time, level, event, then `name=value`.
 * A value that is not plain stands in quotes with everything escaped that could
 * end the line or change how a terminal shows it, so no client can forge a line.
 */
import { cut, escapeUnseen } from './clean.js'
import type { Fields, Form } from './log.js'

/** Plain ASCII without space, quote and backslash: by far the most values. */
const PLAIN = /^[!#-[\]-~]+$/
/** The same with all that can be seen in other scripts. */
const VISIBLE = /^[^\s"\\\p{C}\p{Z}]+$/u

/** One line per event, ending in LF. */
export const textForm: Form = (write) => (level, event, fields) => {
  write(`${new Date().toISOString()} ${level} ${event}${pairs(fields)}\n`)
}

/** Fields that are `undefined` are left out; `null` is written as `-`. */
function pairs(fields: Fields | undefined): string {
  let text = ''
  for (const name in fields) {
    const value = fields[name]
    if (value !== undefined)
      text += ` ${name}=${typeof value === 'string' ? quote(value) : number(value)}`
  }
  return text
}

function number(value: number | boolean | null): string {
  return value === null ? '-' : String(value)
}

function quote(value: string): string {
  const short = cut(value)
  if (PLAIN.test(short) || VISIBLE.test(short)) return short
  return `"${escapeUnseen(short.replace(/["\\]/g, '\\$&'))}"`
}
