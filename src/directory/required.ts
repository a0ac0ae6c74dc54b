/** Who must always be reached, whatever the user database and the aliases say (RFC 5321 section 4.5.1, RFC 2142). */
import { foldLocal, type Address } from '../mail/address.js'
import type { MailboxState, Names, OpenMailbox } from './names.js'
import { splitTag } from './tag.js'

const POSTMASTER = 'postmaster'
const ABUSE = 'abuse'
/** Whoever must be reached has no quota. */
const ALWAYS: OpenMailbox = { quota: null, forward: [], keep: false, deliver: null }

export const postmasterOf = (domain: string): Address => ({ local: POSTMASTER, domain })
export const isPostmaster = ({ local }: Address): boolean => local === POSTMASTER
/** Without an account of its own, postmaster's. */
export const isAbuse = ({ local }: Address): boolean => local === ABUSE

/** True for both of them, with a tag or without. */
export function isRequired({ local }: Address, separator: string): boolean {
  const base = foldLocal(splitTag(local, separator)?.base ?? local)
  return base === POSTMASTER || base === ABUSE
}

/** Postmaster's mailbox. Never throws. @param address postmaster's */
export async function stateOfPostmaster(address: Address, names: Names): Promise<MailboxState> {
  try {
    const state = await names.mailbox(address)
    return typeof state === 'object' ? { ...state, quota: null } : ALWAYS
  } catch {
    return ALWAYS
  }
}
