/**
 * The lock of one name on the disk: links `NAME.1`, `NAME.2`, …, of which the highest
 * counts. Whoever takes the lock or gives it back makes the next one, which only one
 * process can do; so the numbers are the tokens, and no step waits for another.
 *
 * A process may fall asleep between looking and making its link, and make one that
 * was made and cleared away long ago. So links are cleared away from below: if the
 * one that it meant to succeed is still there, nobody else has succeeded it.
 *
 * Unlike `service/claims.ts`, which succeeds dead processes only: here one that is
 * alive may lose its lock, and then must not be able to overwrite anything.
 */
import { lstatSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs'
import { lstat, lutimes, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicMs } from '../process/clock.js'

/** Each time somebody else got further. */
const MAX_TRIES = 100
const TOKEN = /^[1-9]\d{0,14}$/

export interface Link {
  readonly token: number
  readonly text: string
  /** Tokens below that may still lie there, ascending. */
  readonly below: readonly number[]
}

export class Chain {
  readonly #folder: string
  readonly #name: string
  /** Of the paths of all links. */
  readonly #stem: string

  /** @param folder is there. @param name begins no other chain's name with a dot behind it */
  constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
    this.#stem = join(folder, `${name}.`)
  }

  /** The link that counts, `null` if there never was one. */
  async last(): Promise<Link | null> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const tokens = await this.#tokens()
      const token = tokens.pop()
      if (token === undefined) return null
      const text = await orNull(readlink(this.#path(token)))
      if (text !== null) return { token, text, below: tokens }
    }
    throw new Error(`${join(this.#folder, this.#name)}: changes too fast to be read`)
  }

  /**
   * Makes the link after `before`. The few calls of that are made where they stand: a link that
   * lies in its inode, in a directory of this machine that is in use all the time, takes
   * microseconds; a turn on libuv's pool for each would take ten times as long.
   * @returns `null` if somebody else has done so
   */
  async follow(before: Link | null, text: string): Promise<Link | null> {
    const token = (before?.token ?? 0) + 1
    if (!this.#make(token, text)) return null
    // The first link of all has none before it; a listing as short as this is read in one piece.
    const ours = before === null ? (await this.#tokens()).at(-1) === token : this.#stands(before)
    if (ours) {
      const below = before === null ? [] : [...before.below, before.token]
      return { token, text, below: this.#clear(below) }
    }
    this.#unmake(token)
    return null
  }

  /**
   * True while this link counts. The next one is looked for first: if it had come
   * and gone again before that, this one would be gone now.
   */
  counts(link: Link): boolean {
    const next = lstatSync(this.#path(link.token + 1), { throwIfNoEntry: false })
    return next === undefined && this.#stands(link)
  }

  /** Writes on the link that its holder is at work. */
  async touch({ token }: Link): Promise<void> {
    const seconds = monotonicMs() / 1000
    await orNull(lutimes(this.#path(token), seconds, seconds))
  }

  /** When the link was touched; `null` if it never was, or is gone. */
  async touchedMs({ token }: Link): Promise<number | null> {
    const facts = await orNull(lstat(this.#path(token)))
    // A link not touched yet bears the time of day, which is far ahead of any uptime.
    return facts === null || facts.mtimeMs > monotonicMs() ? null : facts.mtimeMs
  }

  #make(token: number, text: string): boolean {
    try {
      symlinkSync(text, this.#path(token))
      return true
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      throw error
    }
  }

  #unmake(token: number): void {
    try {
      unlinkSync(this.#path(token))
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
    }
  }

  #stands({ token, text }: Link): boolean {
    try {
      return readlinkSync(this.#path(token)) === text
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false
      throw error
    }
  }

  /** From below, and no further than that works. @returns what is left */
  #clear(tokens: readonly number[]): readonly number[] {
    for (const [index, token] of tokens.entries()) {
      try {
        this.#unmake(token)
      } catch {
        return tokens.slice(index)
      }
    }
    return []
  }

  /** Ascending. */
  async #tokens(): Promise<number[]> {
    const prefix = `${this.#name}.`
    return (await readdir(this.#folder))
      .filter((file) => file.startsWith(prefix) && TOKEN.test(file.slice(prefix.length)))
      .map((file) => Number(file.slice(prefix.length)))
      .toSorted((a, b) => a - b)
  }

  #path(token: number): string {
    return `${this.#stem}${token}`
  }
}

async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}
