/**
 * On which day each app password was used last: a small file per user beside the user files, a line
 * `YYYY-MM-DD name` each. Not in the user file, which would then be rewritten under the hands of
 * whoever edits it; and by the day, so that a mail program that asks every minute costs one write.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from './error-code.js'
import { isAppName, MAX_APP_PASSWORDS } from './app-password.js'
import { readSmallFile, unlinkIfThere, writeSmallFile } from './small-file.js'

/** Bytes: room for more names than a user can have. */
const MAX_FILE = 16_384
const LINE = /^(\d{4}-\d\d-\d\d) (.{1,64})$/u

export class LastUse {
  readonly #folder: string

  /** @param users the folder of the user files */
  constructor(users: string) {
    // Begins with a dot, so it is nobody's user file.
    this.#folder = join(users, '.last-use')
  }

  /** Days by name of the app password. @param file of the user, by its name among the user files */
  async read(file: string): Promise<ReadonlyMap<string, string>> {
    const path = join(this.#folder, file)
    try {
      return parse((await readSmallFile(path, { limit: MAX_FILE, followLink: false })).text)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return new Map()
      throw error
    }
  }

  /** Two at once may lose one of two days: the next login brings it back. */
  async note(file: string, name: string, day: string): Promise<void> {
    const known = new Map(await this.read(file))
    if (known.get(name) === day) return
    known.delete(name)
    const lines = [[name, day] as const, ...known].slice(0, MAX_APP_PASSWORDS)
    await this.#makeFolder()
    const text = lines.map(([each, on]) => `${on} ${each}\n`).join('')
    await writeSmallFile(this.#folder, file, text)
  }

  /** Of a user who is gone. */
  async forget(file: string): Promise<void> {
    await unlinkIfThere(join(this.#folder, file))
  }

  async #makeFolder(): Promise<void> {
    try {
      await mkdir(this.#folder, { mode: 0o700 })
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
    }
  }
}

/** What is no such line was written by somebody else, and counts for nothing. */
function parse(text: string): ReadonlyMap<string, string> {
  const days = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, day, name] = LINE.exec(line) ?? []
    if (day !== undefined && name !== undefined && isAppName(name)) days.set(name, day)
  }
  return days
}
