/** Maildirs on a local disk that are no user's mailbox: no quota, no index, delivery only. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { Delivery } from '../../maildir/maildir.js'
import type { Message } from '../mail/message.js'
import { refusalFor } from './refusals.js'
import type { FileOwner, Folders } from './store.js'

export class MaildirFolders implements Folders {
  readonly #delivery: Delivery

  /** @param host this machine's name, for the names of the files */
  constructor(host: string) {
    this.#delivery = new Delivery(host)
  }

  async append(path: string, message: Message, owner: FileOwner | null): Promise<void> {
    try {
      const file = await this.#delivery.deliver(path, message)
      if (owner !== null) await give(file, owner)
    } catch (error) {
      throw refusalFor(error)
    }
  }
}

/** Whoever owns the Maildir may put another file in its place: then that one is left alone. */
async function give(path: string, { uid, gid }: FileOwner): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    const ours = stats.isFile() && stats.nlink === 1 && stats.uid === process.getuid?.()
    if (ours) await file.chown(uid, gid)
  } finally {
    await file.close()
  }
}
