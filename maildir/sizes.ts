/**
 * Sizes on the wire of files whose names do not tell: they have to be read,
 * once. Waits for the disk.
 */
import fs from 'node:fs'
import { CrlfCounter } from './crlf.js'
import { errorCode } from './errors.js'
import type { Index } from './index-file.js'
import type { Places } from './maildir.js'
import { wireSizeIn } from './names.js'
import { safeToRead } from './open-entry.js'
import { pathOf } from './scan.js'

const CHUNK = 64 * 1024
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants
/** Errors that concern one file, not the whole mailbox. */
const UNREADABLE = new Set(['EACCES', 'EPERM', 'EIO'])
/** It vanished, or became a link or a socket. */
const NO_MESSAGE = new Set(['ENOENT', 'ELOOP', 'ENXIO'])

interface Maildir {
  readonly path: string
  readonly owner: number
  readonly places: Places
}

export class Sizes {
  readonly #maildir: Maildir
  readonly #index: Index | null
  #known: ReadonlyMap<string, number> | null = null
  #chunk: Buffer | null = null
  #count = 0

  constructor(maildir: Maildir, index: Index | null) {
    this.#maildir = maildir
    this.#index = index
  }

  /** How many files were read. */
  get count(): number {
    return this.#count
  }

  /**
   * Octets with CR LF line ends, remembered or read; `null` if it is no message.
   * @throws the system's error when it is not about one file alone
   */
  of(base: string): number | null {
    this.#known ??= remembered(this.#index)
    return this.#known.get(base) ?? this.#read(this.#maildir.places.get(base)![0]!)
  }

  #read(place: string): number | null {
    this.#count++
    const path = pathOf(this.#maildir.path, place)
    const stats = fs.lstatSync(path, { throwIfNoEntry: false })
    // Only a regular file is opened: opening a device or a FIFO may do something.
    if (stats === undefined || !stats.isFile()) return null
    try {
      return this.#measure(fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
    } catch (error) {
      const code = errorCode(error) ?? ''
      if (NO_MESSAGE.has(code)) return null
      if (!UNREADABLE.has(code)) throw error
      // It is there, and its owner should see that it is; reading it will say what is wrong.
      return stats.size
    }
  }

  #measure(fd: number): number | null {
    try {
      const stats = fs.fstatSync(fd)
      return safeToRead(stats, this.#maildir.owner) ? this.#octets(fd, stats.size) : null
    } finally {
      fs.closeSync(fd)
    }
  }

  #octets(fd: number, size: number): number {
    const chunk = (this.#chunk ??= Buffer.allocUnsafe(CHUNK))
    const counter = new CrlfCounter()
    for (let at = 0; at < size;) {
      const got = fs.readSync(fd, chunk, 0, CHUNK, null)
      if (got === 0) break
      counter.add(chunk.subarray(0, got))
      at += got
    }
    return counter.octets
  }
}

/** base → size, of those whose names do not tell. */
function remembered(index: Index | null): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (let at = 0; index !== null && at < index.table.count; at++) {
    const base = index.table.base(at)
    if (wireSizeIn(base) === null) sizes.set(base, index.table.size(at))
  }
  return sizes
}
