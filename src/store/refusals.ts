/** What a client hears of a fault of the disk. */
import { errorCode, MaildirFault } from '../../maildir/maildir.js'
import { mailboxBroken, noSpace, Refusal, tryLater } from '../mail/refusal.js'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
/** What is wrong with one mailbox, while the others are well. */
const BROKEN = new Set(['EACCES', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'ENOENT', 'ENOTDIR', 'EPERM'])

/** What a client is told; every fault of ours passes. What is no fault of the disk stays as thrown. */
export function refusalFor(error: unknown): unknown {
  if (error instanceof Refusal) return error
  if (error instanceof MaildirFault) return mailboxBroken(error)
  const code = errorCode(error)
  if (code === undefined) return error
  if (FULL.has(code)) return noSpace(error)
  return BROKEN.has(code) ? mailboxBroken(error) : tryLater(error)
}
