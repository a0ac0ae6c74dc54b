/** Puts a message into the server's maildrop, and says what went wrong in the codes that callers of sendmail know. */
import { access } from 'node:fs/promises'
import { errorCode } from '../maildir/maildir.js'
import type { Message } from '../src/mail/message.js'
import { openDropPlace } from '../src/queue/drop-place.js'
import { dropInto } from '../src/queue/drop-write.js'
import { Exit, Failure } from './exit.js'
import { giveToOwnerOf } from './ownership.js'
import type { DropEnvelope } from './sendmail-envelope.js'
import type { Site } from './sendmail-site.js'

/** The disk says so, and it may pass. */
const WORDS = new Map([
  ['ENOSPC', 'no space left on the device'],
  ['EDQUOT', 'disk quota exceeded'],
  ['EROFS', 'the file system is read-only'],
  ['EIO', 'the disk does not work'],
])

/**
 * Durable when resolved.
 * @throws Failure tryLater: a fault of the machine is none of the message
 */
export async function drop(site: Site, envelope: DropEnvelope, message: Message): Promise<void> {
  const { state } = site
  try {
    await access(state)
    const { path } = await openDropPlace(state, (made) => giveToOwnerOf(state, [made]))
    await dropInto(path, envelope, message)
  } catch (error) {
    throw failureOf(error, state)
  }
}

function failureOf(error: unknown, state: string): unknown {
  const code = errorCode(error)
  if (code === undefined) return error
  const later = (what: string) => new Failure(Exit.tryLater, what, { cause: error })
  if (code === 'ENOENT')
    return later(`${state}: no server has run here yet; start it with 'mailtap run'`)
  if (code === 'EACCES' || code === 'EPERM')
    return later(
      `${state}: no way to the maildrop for this user; start the server once, it opens one`,
    )
  return later(`the maildrop in ${state} cannot be written: ${WORDS.get(code) ?? code}`)
}
