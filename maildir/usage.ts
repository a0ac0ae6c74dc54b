/** How much mail a Maildir holds and how much it may hold: the arithmetic of the Maildir++ quota. */

/** An amount of mail, or a change of one: then either number may be negative. */
export interface Usage {
  /** Octets of the files, with whatever line ends they have. */
  readonly bytes: number
  readonly messages: number
}

/** What a Maildir may hold; `null` = as much as there is room for. */
export interface Quota {
  readonly bytes: number | null
  readonly messages: number | null
}

/** As full as this, a Maildir's owner is warned. */
export const WARNED_AT = 0.9

export const NOTHING: Usage = { bytes: 0, messages: 0 }

export function plus(a: Usage, b: Usage): Usage {
  return { bytes: a.bytes + b.bytes, messages: a.messages + b.messages }
}

export function minus(a: Usage, b: Usage): Usage {
  return { bytes: a.bytes - b.bytes, messages: a.messages - b.messages }
}

/** Whether so much mail may be there. */
export function fits(usage: Usage, { bytes, messages }: Quota): boolean {
  return usage.bytes <= (bytes ?? Infinity) && usage.messages <= (messages ?? Infinity)
}

/** How full a Maildir is: 1 = as full as it may be, by octets or by messages. */
export function fullness(usage: Usage, { bytes, messages }: Quota): number {
  return Math.max(part(usage.bytes, bytes), part(usage.messages, messages))
}

export function sameQuota(a: Quota, b: Quota): boolean {
  return a.bytes === b.bytes && a.messages === b.messages
}

/** Of nothing at all, everything is too much. */
function part(used: number, limit: number | null): number {
  if (limit === null) return 0
  return limit === 0 ? Infinity : used / limit
}
