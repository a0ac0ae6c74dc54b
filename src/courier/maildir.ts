/** Brings mail to Maildirs that are no user's mailbox, as `/path/` in an alias asks for. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { MaildirTarget } from '../directory/directory.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import { misconfigured, type Refusal } from '../mail/refusal.js'
import type { Folders } from '../store/store.js'
import type { TargetCourier } from './courier.js'
import type { Deadline } from './deadline.js'
import { answered, each } from './each.js'
import { type DirectoryOf, type Owner, ownerIfRoot, requireDirectoryOf } from './owner.js'
import { openFolder } from './safe-file.js'
import { refusalOfSystem } from './system-error.js'
import { traced } from './trace.js'

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
const PARTS = ['tmp', 'new', 'cur']

export class MaildirCourier implements TargetCourier<MaildirTarget> {
  readonly #folders: Folders
  readonly #directoryOf: DirectoryOf

  constructor(folders: Folders, directoryOf: DirectoryOf) {
    this.#folders = folders
    this.#directoryOf = directoryOf
  }

  deliver(
    targets: readonly MaildirTarget[],
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<(Refusal | null)[]> {
    return each(targets, (target) =>
      answered(deadline, () => this.#append(target, envelope, message)),
    )
  }

  async #append({ path, of }: MaildirTarget, ...mail: [Envelope, Message]): Promise<void> {
    const owner = await ownerIfRoot(requireDirectoryOf(this.#directoryOf, of.domain))
    const message = traced(of, ...mail)
    try {
      if (owner === null) await this.#folders.append(path, message, null)
      else await this.#appendAs(owner, path, message)
    } catch (error) {
      throw refusalOfSystem(error)
    }
  }

  /** As root: into a Maildir that is there and the owner's, whatever becomes of its name meanwhile. */
  async #appendAs(owner: Owner, path: string, message: Message): Promise<void> {
    const maildir = await openFolder(join(path, 'new'), owner)
    try {
      for (const part of PARTS) {
        if ((await ownerOf(join(maildir.path, part))) !== owner.uid)
          throw notOwned(join(path, part))
      }
      // Not a link any more, for whoever looks at it.
      await this.#folders.append(`${maildir.path}/.`, message, owner)
    } finally {
      await maildir.handle.close()
    }
  }
}

/** A link is no directory, even if the owner made it: it may lead where only root may write. */
async function ownerOf(part: string): Promise<number> {
  const handle = await open(part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    return (await handle.stat()).uid
  } finally {
    await handle.close()
  }
}

const notOwned = (path: string): Refusal =>
  misconfigured(new Error(`${path}: the domain's owner does not own it`))
