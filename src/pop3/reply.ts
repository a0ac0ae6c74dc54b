/** Builds replies: the status line of RFC 1939 section 3, response codes of RFC 2449 section 8 and RFC 3206. */
import type { Reply } from './state.js'

/** What a program can do about the error; a person has the text. */
export type Code =
  /** The name or the password is wrong. */
  | 'AUTH'
  /** Another session has the mailbox. */
  | 'IN-USE'
  /** The last login was too short a time ago. */
  | 'LOGIN-DELAY'
  /** A fault of ours that may pass. */
  | 'SYS/TEMP'
  /** A fault of ours that will not pass until somebody mends it. */
  | 'SYS/PERM'
  /** The message is for those who have said UTF8 (RFC 6856 section 5). */
  | 'UTF8'

type More = Omit<Reply, 'head'>

/** A disk that answers so does not get better by waiting. */
const LASTING = new Set(['EIO', 'EROFS'])
/** What can be sent as it is. */
const ASCII = /^[ -~]*$/
/** How far causes are followed. */
const MAX_CAUSES = 10

export function ok(text: string, more?: More): Reply {
  return { head: line(`+OK ${text}`), ...more }
}

/** A "no" of the client's making. */
export function err(text: string, more?: More & { readonly code?: Code }): Reply {
  const { code, ...rest } = more ?? {}
  const head = line(code === undefined ? `-ERR ${text}` : `-ERR [${code}] ${text}`)
  return { head, blame: 'refused', ...rest }
}

/** A "not now", or a "not to you", of ours: it counts against nobody. */
export function later(text: string, code: Code = 'SYS/TEMP'): Reply {
  return { head: line(`-ERR [${code}] ${text}`) }
}

/** Whether it helps to wait (RFC 3206 section 4): looks at the error and at what caused it. */
export function systemCode(error: unknown): 'SYS/TEMP' | 'SYS/PERM' {
  return lasts(error, MAX_CAUSES) ? 'SYS/PERM' : 'SYS/TEMP'
}

function lasts(error: unknown, depth: number): boolean {
  if (depth === 0) return false
  if (Array.isArray(error)) return error.some((one) => lasts(one, depth - 1))
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return LASTING.has(code ?? '') || lasts(error.cause, depth - 1)
}

/** One line in UTF-8, which only LANG brings about (RFC 6856 section 3.2): nothing in it ends or bends the line. */
export function line(text: string): Buffer {
  if (ASCII.test(text)) return Buffer.from(`${text}\r\n`, 'latin1')
  return Buffer.from(`${text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped)}\r\n`)
}

/** The text with everything but printable ASCII written as `\u{…}`. */
export function printable(text: string): string {
  return ASCII.test(text) ? text : text.replace(/[^ -~]/gu, escaped)
}

const escaped = (character: string): string => `\\u{${character.codePointAt(0)!.toString(16)}}`
