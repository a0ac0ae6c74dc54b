/** How much mail a user may keep, as settings say it: `2GB`, `10000 messages`, `2GB, 10000 messages`, `none`. */
import { formatOctets, parseOctets } from './octets.js'

/** `null` = no limit of that kind. */
export interface Quota {
  /** Octets of the messages as they are stored. */
  readonly bytes: number | null
  readonly messages: number | null
}

export const UNLIMITED: Quota = { bytes: null, messages: null }
/** For error messages. */
export const QUOTA_FORM = '"2GB", "10000 messages", "2GB, 10000 messages" or "none"'
/** Both fit the file in which programs that share a mailbox keep account: 15 digits. */
const MAX_BYTES = 1024 ** 4 * 900
const MESSAGES = /^(\d{1,12}) messages$/

/** @returns `null` if the text is no quota; a limit of 0 would be a mailbox that takes nothing, and is none */
export function parseQuota(text: string): Quota | null {
  if (text === 'none') return UNLIMITED
  const parts = text.split(',').map((part) => part.trim())
  const sizes = parts.map(parseOctets).filter((size) => size !== null)
  const counts = parts.flatMap((part) => MESSAGES.exec(part)?.[1] ?? []).map(Number)
  if (sizes.length > 1 || counts.length > 1 || sizes.length + counts.length < parts.length) {
    return null
  }
  const [bytes = null] = sizes
  const [messages = null] = counts
  return bytes === 0 || messages === 0 || (bytes ?? 0) > MAX_BYTES ? null : { bytes, messages }
}

/** In the form that `parseQuota` takes. */
export function formatQuota({ bytes, messages }: Quota): string {
  const size = bytes === null ? [] : [formatOctets(bytes)]
  const count = messages === null ? [] : [`${messages} messages`]
  return [...size, ...count].join(', ') || 'none'
}

/** A quota that limits anything, or `null`. */
export function limiting(quota: Quota | null): Quota | null {
  return quota === null || (quota.bytes === null && quota.messages === null) ? null : quota
}
