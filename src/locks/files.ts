/**
 * Locks that hold across the processes of one machine, as links in a directory. The
 * lock of a process that is gone is free at once. Nothing is synced: after a power
 * cut no holder is alive.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicMs } from '../process/clock.js'
import { Chain, type Link } from './chain.js'
import { Writer } from './entry.js'
import { FileLease } from './file-lease.js'
import type { Lease, Locks } from './locks.js'
import { LeaseWatch, WATCH_MS } from './watch.js'

/**
 * Subdirectories, made in advance: on a full disk people can still log in and delete mail.
 * Each holds one link per name that was ever locked; a link takes no block.
 */
const BUCKETS = 256
/** Hexadecimal digits of a name's hash that stand for it: no name is too long, or leaves the directory. */
const NAME_DIGITS = 32
/** How often others may get in between; each time somebody else got further. */
const MAX_TRIES = 10
/** Names whose last link is remembered, so that no directory has to be read. */
const MAX_KNOWN = 10_000
/** Milliseconds between two signs of life that other processes can see. */
const PUBLISH_MS = 5_000

export interface FileLocksOptions {
  /** Milliseconds; the same for all processes that share the directory. */
  readonly publishMs?: number
  /** Milliseconds between two looks at what is held; {@link WATCH_MS} by default. */
  readonly watchMs?: number
}

export class FileLocks implements Locks {
  readonly #folder: string
  readonly #publishMs: number
  readonly #writer = new Writer()
  /** What this process holds, by name. Grows with the holders alone. */
  readonly #held = new Map<string, FileLease>()
  readonly #watch: LeaseWatch
  /** Names that this process is about to lock. */
  readonly #trying = new Set<string>()
  readonly #known = new Map<string, Link>()

  private constructor(folder: string, options: FileLocksOptions) {
    const { publishMs = PUBLISH_MS, watchMs = WATCH_MS } = options
    this.#folder = folder
    this.#publishMs = publishMs
    this.#watch = new LeaseWatch(this.#held, watchMs)
  }

  /** @param folder made, for its owner only, if it is missing */
  static async open(folder: string, options: FileLocksOptions = {}): Promise<FileLocks> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const there = new Set(await readdir(folder))
    for (const name of bucketNames()) {
      if (!there.has(name)) await mkdir(join(folder, name), { recursive: true, mode: 0o700 })
    }
    return new FileLocks(folder, options)
  }

  /**
   * All directories that `open` makes of a folder, the folder first. Who opened it for somebody
   * else owes them every one: a lock in a bucket that they cannot write to is lost to them.
   */
  static directories(folder: string): readonly string[] {
    return [folder, ...bucketNames().map((name) => join(folder, name))]
  }

  /** Of many who want the same name in this process only one goes to the disk. */
  async tryAcquire(name: string, takeoverMs = Infinity): Promise<Lease | null> {
    const old = this.#held.get(name)
    const held = old !== undefined && old.idleMs < takeoverMs && old.valid()
    if (held || this.#trying.has(name)) return null
    this.#trying.add(name)
    try {
      return await this.#acquire(name, takeoverMs)
    } finally {
      this.#trying.delete(name)
    }
  }

  async #acquire(name: string, takeoverMs: number): Promise<Lease | null> {
    const chain = this.#chain(name)
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const ours = this.#recall(name)
      const last = ours ?? (await chain.last())
      const taken = ours === null && last !== null
      if (taken && !(await this.#free(name, chain, last, takeoverMs))) return null
      const link = await chain.follow(last, this.#writer.write('held'))
      if (link !== null) return this.#hold(name, chain, link)
    }
    return null
  }

  /** True if whoever made this link has no right to the lock any more. */
  async #free(name: string, chain: Chain, link: Link, takeoverMs: number): Promise<boolean> {
    const note = this.#writer.read(link.text)
    if (note.free) return true
    if (note.by === this.#writer.id) return this.#freeHere(name, link, takeoverMs)
    if (!note.alive()) return true
    if (takeoverMs === Infinity) return false
    const activeMs = (await chain.touchedMs(link)) ?? note.atMs
    // It may have been at work since it last told others of it.
    return monotonicMs() - activeMs >= takeoverMs + this.#publishMs
  }

  /** Our own link without a lease is one that could not be given back, for instance on a full disk. */
  #freeHere(name: string, link: Link, takeoverMs: number): boolean {
    const lease = this.#held.get(name)
    return lease?.token !== link.token || lease.idleMs >= takeoverMs
  }

  #hold(name: string, chain: Chain, link: Link): Lease {
    const old = this.#held.get(name)
    const lease: FileLease = new FileLease(chain, link, this.#publishMs, {
      release: () => chain.follow(link, this.#writer.write('free')),
      over: (last) => this.#forget(name, lease, last),
    })
    this.#held.set(name, lease)
    this.#watch.wake()
    old?.lose()
    return lease
  }

  #forget(name: string, lease: FileLease, last: Link | null): void {
    if (this.#held.get(name) === lease) this.#held.delete(name)
    if (last === null) return
    this.#known.set(name, last)
    if (this.#known.size <= MAX_KNOWN) return
    for (const oldest of this.#known.keys()) return void this.#known.delete(oldest)
  }

  /**
   * The link with which this process gave the lock back: it says so and need not be read. Once
   * only: if somebody else has gone on from there, it is of no more use.
   */
  #recall(name: string): Link | null {
    const link = this.#known.get(name) ?? null
    this.#known.delete(name)
    return link
  }

  #chain(name: string): Chain {
    const hash = createHash('sha256').update(name).digest('hex').slice(0, NAME_DIGITS)
    return new Chain(join(this.#folder, hash.slice(0, 2)), hash)
  }
}

function bucketNames(): readonly string[] {
  return Array.from({ length: BUCKETS }, (_, bucket) => bucket.toString(16).padStart(2, '0'))
}
