/**
 * What stands in `maildirsize`, the file in which programs that share a
 * Maildir keep account of it (Maildir++). The first line is the quota, such
 * as `2000000S,1000C`: octets, messages. Each further line is an amount, two
 * numbers; the first of them what was counted, the others what changed since.
 */
import { NOTHING, plus, type Quota, type Usage } from './usage.js'

/** From this size on the file is no longer added to but made anew. */
export const FULL = 5120
/** What the numbers are padded to: with the space and the line's end 14 octets, as long as they are not longer. */
const BYTES_WIDTH = 8
const MESSAGES_WIDTH = 4
const DEFINITION = /^[0-9]{1,15}[A-Z](?:,[0-9]{1,15}[A-Z])*$/
/** Courier pads its numbers, Dovecot does not. 15 digits are exact as a JavaScript number. */
const AMOUNT = /^[ \t]*(-?[0-9]{1,15})[ \t]+(-?[0-9]{1,15})[ \t]*$/

/** What the file says. */
export interface Sizes {
  readonly quota: Quota
  /** The sum of all amounts. */
  readonly usage: Usage
  /** How many amounts there are. */
  readonly lines: number
}

/** @returns `null` when it is not the text of such a file, whole and plausible */
export function parseSizes(text: string): Sizes | null {
  const lines = text.split('\n')
  // A line without its end was cut off by a crash, or is being written this moment.
  if (lines.pop() !== '') return null
  const [definition, ...rest] = lines
  const quota = definition === undefined ? null : quotaFrom(definition)
  const amounts = rest.map(amountFrom)
  if (quota === null || amounts.length === 0) return null
  let usage = NOTHING
  for (const amount of amounts) {
    if (amount === null) return null
    usage = plus(usage, amount)
  }
  if (usage.bytes < 0 || usage.messages < 0) return null
  return { quota, usage, lines: amounts.length }
}

/** The text of a new file. */
export function formatSizes(quota: Quota, usage: Usage): string {
  return `${definitionOf(quota)}\n${formatAmount(usage)}`
}

/** One line, ready to be appended. */
export function formatAmount({ bytes, messages }: Usage): string {
  return `${String(bytes).padStart(BYTES_WIDTH)} ${String(messages).padStart(MESSAGES_WIDTH)}\n`
}

function definitionOf({ bytes, messages }: Quota): string {
  const size = bytes === null ? [] : [`${bytes}S`]
  const count = messages === null ? [] : [`${messages}C`]
  return [...size, ...count].join(',')
}

/** Letters that mean something to other programs alone are passed over; 0 means no limit to all of them. */
function quotaFrom(definition: string): Quota | null {
  if (!DEFINITION.test(definition)) return null
  const parts = definition.split(',')
  const limit = (letter: string): number | null =>
    Number(parts.find((each) => each.endsWith(letter))?.slice(0, -1) ?? 0) || null
  return { bytes: limit('S'), messages: limit('C') }
}

function amountFrom(line: string): Usage | null {
  const match = AMOUNT.exec(line)
  return match === null ? null : { bytes: Number(match[1]), messages: Number(match[2]) }
}
