/** How far an address has been followed, and the limits of that. */
import type { Address } from '../mail/address.js'
import { misconfigured, type Refusal } from '../mail/refusal.js'

/** Aliases of aliases of aliases; lists and forwards count, too. */
const MAX_DEPTH = 10
/** Addresses, programs, files that one address may expand to, aliases on the way counted. */
export const MAX_TARGETS = 1_000

/** How an address was come to. */
export interface Way {
  /** How many aliases, lists and forwards led here. */
  readonly depth: number
  /** Whose target it is: an alias that names itself means the user, a user who does means the mailbox. */
  readonly self: Address | null
  /** It is a user who forwards, not an alias. */
  readonly forwards: boolean
  /** What stood behind the separator; `null` if the address had no tag. */
  readonly extension: string | null
}

/** Whoever names targets: an alias, a list in it, a user who forwards. */
export interface Source extends Way {
  readonly self: Address
  /** `file:line`, or in words what names them. */
  readonly at: string
}

export const START: Way = { depth: 0, self: null, forwards: false, extension: null }

/** One alias, list or forward further. @throws Refusal when that is too deep */
export function deeper(depth: number, at: string): number {
  if (depth >= MAX_DEPTH) throw fault(`${at}: more than ${MAX_DEPTH} aliases deep`)
  return depth + 1
}

/** Not the sender's fault, so the mail may come again. The message is for the log. */
export function fault(message: string, options?: ErrorOptions): Refusal {
  return misconfigured(new Error(message, options))
}
