/** The user database of one domain: the folder `.users`, a file per user (product.md section 3). */
import { lstat, mkdir, opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { underLock } from './edit-lock.js'
import { errorCode } from './error-code.js'
import { key, localOf } from './key.js'
import { type KeptUser, KeptUsers } from './kept-users.js'
import { LastUse } from './last-use.js'
import {
  FileRefused,
  type Owner,
  readSmallFile,
  syncDirectory,
  unlinkIfThere,
  writeSmallFile,
  type SmallFile,
} from './small-file.js'
import { parseUserFile, withPassword, type UserFile } from './user-file.js'

/** Bytes. A hash has about a hundred; app passwords add a few hundred each. */
const MAX_USER_FILE = 65_536
const ROOT = 0
const OTHERS_READ = 0o004
const OTHERS_ENTER = 0o001

/** Of all domains, as one bound for the memory of the process. */
const kept = new KeptUsers()

export class Users {
  readonly #domain: string
  readonly #folder: string
  readonly #lastUse: LastUse

  /** @param domain the domain's directory */
  constructor(domain: string) {
    this.#domain = domain
    this.#folder = join(domain, '.users')
    this.#lastUse = new LastUse(this.#folder)
  }

  /** The user's file, whether it is there or not. @throws when there can be no such user */
  path(local: string): string {
    return join(this.#folder, fileName(local))
  }

  /**
   * What the user's file says, or `null` if there is no such user.
   * @throws when that cannot be told: unreadable, not a regular file, not understood, no `.users`
   */
  async read(local: string): Promise<UserFile | null> {
    return (await this.#load(local, false))?.user ?? null
  }

  /**
   * The same, for somebody who wants to log in.
   * @throws also when everybody on this machine can read the file, and when it
   *   is empty, as it is while `mailtap hash > FILE` is still at work: that is
   *   no wrong password
   */
  async readPrivate(local: string): Promise<UserFile | null> {
    const loaded = await this.#load(local, true)
    if (loaded === null) return null
    await this.#checkPrivate(loaded.path, loaded.mode)
    if (loaded.blank) {
      throw new Error(`${loaded.path}: empty; set a password: mailtap user passwd`)
    }
    return loaded.user
  }

  /** The folded local parts of all users, in no order. Names that are no key are passed over. */
  async *names(): AsyncGenerator<string> {
    for await (const entry of await opendir(this.#folder)) {
      const local = localOf(entry.name)
      if (local !== null && !entry.isDirectory()) yield local
    }
  }

  /**
   * Makes a user with that stored password and the keys of SCRAM, if there are any. Durable when
   * it resolves.
   * @throws an error with code EEXIST when there is such a file
   */
  async add(local: string, stored: string, scram: string | null = null): Promise<void> {
    await this.#makeFolder()
    const text = withPassword('', stored, '', scram)
    await writeSmallFile(this.#folder, fileName(local), text, true)
  }

  /**
   * Gives a user another stored password, and its keys of SCRAM; what else the file says stays.
   * @returns false if there is no such user
   */
  setPassword(local: string, stored: string, scram: string | null = null): Promise<boolean> {
    return this.edit(local, (text, path) => withPassword(text, stored, path, scram))
  }

  /**
   * Puts another text in the place of the file's, while no other program of ours changes it.
   * Durable when it resolves. The file keeps its owner.
   * @param change gets the text and the path; `null` = nothing is to be changed
   * @returns false if there is no such user, or nothing was changed
   */
  async edit(
    local: string,
    change: (text: string, path: string) => string | null,
  ): Promise<boolean> {
    const path = this.path(local)
    if ((await this.#file(path)) === null) return false
    await this.#requireFolder()
    const name = fileName(local)
    return underLock(this.#folder, name, async (isOurs) => {
      const file = await this.#file(path)
      const text = file === null ? null : change(file.text, path)
      if (text === null) return false
      const owner = await ownerToKeep(path)
      if (!(await isOurs())) throw new Error(`${path}: changed too slowly; try again`)
      await writeSmallFile(this.#folder, name, text, false, owner)
      return true
    })
  }

  /** Days on which the user's app passwords were used last, by their names. */
  lastUse(local: string): Promise<ReadonlyMap<string, string>> {
    return this.#lastUse.read(fileName(local))
  }

  /** @param day `YYYY-MM-DD` */
  noteUse(local: string, appPassword: string, day: string): Promise<void> {
    return this.#lastUse.note(fileName(local), appPassword, day)
  }

  /** Removes the user, not the mail. @returns false if there is no such user */
  async remove(local: string): Promise<boolean> {
    await this.#requireFolder()
    // Not while somebody else is about to put a new file there.
    const removed = await underLock(this.#folder, fileName(local), () =>
      unlinkIfThere(this.path(local)),
    )
    if (removed) await syncDirectory(this.#folder)
    await this.#lastUse.forget(fileName(local))
    return removed
  }

  /** @param keeps true: who logs in may do so again soon */
  async #load(local: string, keeps: boolean): Promise<Loaded | null> {
    const name = key(local)
    if (name === null) return null
    const path = join(this.#folder, name)
    const known = (await kept.get(path)) ?? (await this.#parse(path, keeps))
    return known === null ? null : { path, ...known }
  }

  async #parse(path: string, keeps: boolean): Promise<KeptUser | null> {
    const beganMs = Date.now()
    const file = await this.#file(path)
    if (file === null) return null
    const { text, mode } = file
    await this.#checkOwner(path, file.owner)
    const loaded = { user: parseUserFile(text, path), mode, blank: text.trim() === '' }
    if (keeps) kept.put(path, loaded, file, beganMs)
    return loaded
  }

  async #file(path: string): Promise<SmallFile | null> {
    try {
      return await readSmallFile(path, { limit: MAX_USER_FILE, followLink: false })
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
      // A disk that is not mounted has no users either: that must not bounce mail.
      await stat(this.#folder)
      return null
    }
  }

  /** `mailtap hash > .users/bob` with the usual umask gives 0644: fine as long as nobody gets to the file. */
  async #checkPrivate(path: string, mode: number): Promise<void> {
    if ((mode & OTHERS_READ) === 0) return
    for (const above of [this.#folder, this.#domain]) {
      if (((await stat(above)).mode & OTHERS_ENTER) === 0) return
    }
    throw new Error(`${path}: everybody on this machine can read it; run: chmod 600 ${path}`)
  }

  /** Whoever could put a file there under another name is as good as whoever may write to the folder. */
  async #checkOwner(path: string, owner: number): Promise<void> {
    if (owner === ROOT || owner === process.geteuid?.()) return
    // An administrator looks at the files of the server's user, who has the folder, too.
    if ((await stat(this.#folder)).uid === owner) return
    throw new FileRefused(`${path}: belongs to somebody else (user id ${owner}); see: chown`)
  }

  async #makeFolder(): Promise<void> {
    try {
      await mkdir(this.#folder, { mode: 0o700 })
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
      return this.#requireFolder()
    }
    await syncDirectory(this.#domain)
  }

  /** The owner of the domain may have put a link there: an administrator would write to where it points. */
  async #requireFolder(): Promise<void> {
    if ((await lstat(this.#folder)).isDirectory()) return
    throw new FileRefused(`${this.#folder}: a link or a file, not a directory; remove it`)
  }
}

interface Loaded extends KeptUser {
  readonly path: string
}

/** Of a file that is somebody else's and that we may give to him. */
async function ownerToKeep(path: string): Promise<Owner | null> {
  if (process.geteuid?.() !== 0) return null
  const { uid, gid } = await lstat(path)
  return uid === 0 ? null : { uid, gid }
}

function fileName(local: string): string {
  const name = key(local)
  if (name === null) throw new Error(`${JSON.stringify(local)} cannot be a user`)
  return name
}
