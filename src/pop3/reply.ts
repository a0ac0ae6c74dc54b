/** Builds replies: the status line of RFC 1939 section 3, response codes of RFC 2449 section 8 and RFC 3206. */
import type { Reply } from './state.js'

/** What a program can do about the error; a person has the text. */
export type Code =
  /** The name or the password is wrong. */
  | 'AUTH'
  /** Another session has the mailbox. */
  | 'IN-USE'
  /** A fault of ours that may pass. */
  | 'SYS/TEMP'

type More = Omit<Reply, 'head'>

export function ok(text: string, more?: More): Reply {
  return { head: line(`+OK ${text}`), ...more }
}

/** A "no" of the client's making. */
export function err(text: string, more?: More & { readonly code?: Code }): Reply {
  const { code, ...rest } = more ?? {}
  const head = line(code === undefined ? `-ERR ${text}` : `-ERR [${code}] ${text}`)
  return { head, blame: 'refused', ...rest }
}

/** A "not now" of ours: it counts against nobody. */
export function later(text: string, code: Code = 'SYS/TEMP'): Reply {
  return { head: line(`-ERR [${code}] ${text}; try again later`) }
}

/** To a command that takes no argument. */
export const noArgument = (): Reply => err('this command takes no argument')

/**
 * One line of ASCII. Bytes are made from checked characters only: Node cuts
 * U+010A down to a line feed when it writes latin1.
 */
export function line(text: string): Buffer {
  return Buffer.from(`${printable(text)}\r\n`, 'latin1')
}

/** The text with everything but printable ASCII written as `\u{…}`. */
export function printable(text: string): string {
  if (/^[ -~]*$/.test(text)) return text
  return text.replace(/[^ -~]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`)
}
