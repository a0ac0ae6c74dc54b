/**
 * Sizes on the wire of files whose names do not tell, or not reliably: they
 * have to be read, once. Waits for the disk.
 */
import fs, { type Stats } from 'node:fs'
import { CrlfCounter } from './crlf.js'
import { errorCode } from './errors.js'
import { digestOf, HEAD_OCTETS, identityOf, returns, sameFile } from './identity.js'
import type { Places } from './maildir.js'
import type { Memory, Remembered } from './memory.js'
import { wireSizeIn } from './names.js'
import { safeToRead } from './open-entry.js'
import { fill } from './read-now.js'
import { pathOf } from './scan.js'
import type { Row } from './table.js'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants
/** Errors that concern one file, not the whole mailbox. */
const UNREADABLE = new Set(['EACCES', 'EPERM', 'EIO'])
/** It vanished, or became a link or a socket. */
const NO_MESSAGE = new Set(['ENOENT', 'ELOOP', 'ENXIO'])
const NONE: ReadonlySet<string> = new Set()
const NOTHING = Buffer.alloc(0)

interface Maildir {
  readonly path: string
  readonly owner: number
  readonly places: Places
}

/** A message as its name tells of it. */
interface Named {
  readonly base: string
  /** Octets on the wire, if the name tells. */
  readonly size: number | null
}

export class Sizes {
  readonly #maildir: Maildir
  readonly #memory: Memory | null
  readonly #mistrusted: ReadonlySet<string>
  #chunk: Buffer | null = null
  #count = 0

  /** @param mistrusted bases of which neither the name nor the memory is believed */
  constructor(maildir: Maildir, memory: Memory | null, mistrusted = NONE) {
    this.#maildir = maildir
    this.#memory = memory
    this.#mistrusted = mistrusted
  }

  /** How many files were read. */
  get count(): number {
    return this.#count
  }

  /**
   * Octets with CR LF line ends, read whatever the name tells; `null` if it is no message.
   * @throws the system's error when it is not about one file alone
   */
  of(base: string): number | null {
    return this.#read(base, null)?.size ?? null
  }

  /**
   * A message as it is to be listed; `null` if it is none.
   * @param keptId whether it has an id that needs no look at its content
   * @throws the system's error when it is not about one file alone
   */
  row(named: Named, keptId: boolean): Row | null {
    const { base, size } = named
    const odd = this.#mistrusted.has(base) || this.#memory?.remark(base) !== undefined
    if (odd || returns(base)) return this.#lookAt(named, keptId)
    const octets = size ?? this.#memory?.size(base) ?? this.of(base)
    return octets === null ? null : { base, size: octets, remark: null }
  }

  /** When the content of a message's file changed last, in milliseconds; late if that cannot be told. */
  modified(base: string): number {
    return this.#stats(base)?.mtimeMs ?? Infinity
  }

  #lookAt({ base, size: told }: Named, keptId: boolean): Row | null {
    const stats = this.#stats(base)
    if (stats?.isFile() !== true) return null
    const known = this.#mistrusted.has(base) ? undefined : this.#memory?.remark(base)
    const found = this.#recalled(base, stats, known, keptId) ?? this.#found(base, told, keptId)
    if (found === null) return null
    const plain = !returns(base) && (wireSizeIn(base) ?? found.size) === found.size
    return { base, size: found.size, remark: plain ? null : found.remark }
  }

  /** What is known of that very file. */
  #recalled(
    base: string,
    stats: Stats,
    known: Remembered | undefined,
    keptId: boolean,
  ): Remembered | null {
    if (known === undefined || !sameFile(known.remark, identityOf(stats))) return null
    const enough = keptId || !returns(base) || known.remark.digest !== 0
    return enough ? known : null
  }

  /** A name that was proved wrong once, or came back, is not asked for the size. */
  #found(base: string, told: number | null, keptId: boolean): Remembered | null {
    const odd = this.#mistrusted.has(base) || this.#memory?.remark(base) !== undefined
    if (odd || told === null || !keptId) return this.#read(base, odd ? null : told)
    const stats = this.#stats(base)
    return stats === undefined ? null : { size: told, remark: { ...identityOf(stats), digest: 0 } }
  }

  #stats(base: string): Stats | undefined {
    return fs.lstatSync(this.#path(base), { throwIfNoEntry: false })
  }

  #path(base: string): string | Buffer {
    return pathOf(this.#maildir.path, this.#maildir.places.get(base)![0]!)
  }

  /** @param told the size if that need not be counted */
  #read(base: string, told: number | null): Remembered | null {
    this.#count++
    const stats = this.#stats(base)
    // Only a regular file is opened: opening a device or a FIFO may do something.
    if (stats?.isFile() !== true) return null
    try {
      const fd = fs.openSync(this.#path(base), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      return this.#measure(fd, told, returns(base))
    } catch (error) {
      const code = errorCode(error) ?? ''
      if (NO_MESSAGE.has(code)) return null
      if (!UNREADABLE.has(code)) throw error
      // It is there, and its owner should see that it is; reading it will say what is wrong.
      return { size: told ?? stats.size, remark: { ...identityOf(stats), digest: 0 } }
    }
  }

  #measure(fd: number, told: number | null, digested: boolean): Remembered | null {
    try {
      const stats = fs.fstatSync(fd)
      if (!safeToRead(stats, this.#maildir.owner)) return null
      const head = this.#fill(fd)
      const digest = digested ? digestOf(head, stats.size) : 0
      const remark = { ...identityOf(stats), digest }
      return { size: told ?? this.#octets(fd, head, stats.size), remark }
    } finally {
      fs.closeSync(fd)
    }
  }

  /** @param head the first of it */
  #octets(fd: number, head: Buffer, size: number): number {
    const counter = new CrlfCounter()
    let left = size
    for (let piece = head; piece.length > 0; piece = left > 0 ? this.#fill(fd) : NOTHING) {
      counter.add(piece)
      left -= piece.length
    }
    return counter.octets
  }

  /** The next octets, valid until the next call; empty at the end. */
  #fill(fd: number): Buffer {
    const chunk = (this.#chunk ??= Buffer.allocUnsafe(HEAD_OCTETS))
    return chunk.subarray(0, fill(fd, chunk))
  }
}
