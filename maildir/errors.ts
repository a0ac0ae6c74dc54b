/** What can be wrong with a Maildir or a message in it, apart from what the system itself reports. */
import { constants } from 'node:os'

/** Any fault that this library found by itself; the system's own errors are thrown as they come. */
export abstract class MaildirFault extends Error {}

/** The Maildir, or its `new`, `cur` or `tmp`, is a symbolic link or no directory. */
export class NotAMaildir extends MaildirFault {
  override readonly name = 'NotAMaildir'
}

/** The message is in the Maildir no longer, under no flags. */
export class MessageGone extends MaildirFault {
  override readonly name = 'MessageGone'
}

/** What bears the message's name must not be read: no regular file, or a hard link to a stranger's. */
export class MessageUnsafe extends MaildirFault {
  override readonly name = 'MessageUnsafe'
}

/** The content is not as long as was promised. */
export class WrongSize extends MaildirFault {
  override readonly name = 'WrongSize'
}

/** Names of the system's errors; Node's own codes begin with `ERR_`. */
const ERRNO = /^E[A-Z0-9]+$/

/** The `code` of an error of the system, such as `ENOENT`; `undefined` for any other error. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  // Node has no name for a quota that is used up.
  if ('errno' in error && error.errno === -constants.errno.EDQUOT) return 'EDQUOT'
  return typeof error.code === 'string' && ERRNO.test(error.code) ? error.code : undefined
}
