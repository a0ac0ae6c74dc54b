/** What a Maildir holds and may hold (Maildir++ quota): the questions, asked without waiting for the disk here. */
import { readers } from './reader-threads.js'
import { hasSizes } from './size-file.js'
import type { Quota, Usage } from './usage.js'

/**
 * How much mail there is, the trash and what is flagged as deleted not counted.
 * Keeps the account in `maildirsize`, for that quota.
 * @param extra what is to be added
 * @throws the system's error when it cannot be counted
 */
export function usageOf(maildir: string, quota: Quota, extra: Usage): Promise<Usage> {
  return readers.ask('usage', { maildir, quota, extra })
}

/** Keeps account of mail that was added. Never fails: what is missing there is found by a later count. */
export async function noteAdded(maildir: string, added: Usage): Promise<void> {
  if (!accounted(maildir)) return
  await readers.ask('added', { maildir, added }).catch(() => {})
}

/**
 * Whether its owner is to be warned of a Maildir that is that full.
 * @returns true once, until it was emptier again
 * @throws the system's error
 */
export function mayWarn(maildir: string): Promise<boolean> {
  return readers.ask('claim', maildir)
}

/** The warning did not reach its owner: it may be tried again. */
export async function notWarned(maildir: string): Promise<void> {
  await readers.ask('unclaim', maildir).catch(() => {})
}

/** Also of Maildirs without a quota: another program may keep account of it. */
function accounted(maildir: string): boolean {
  try {
    return hasSizes(maildir)
  } catch {
    return false
  }
}
