/** Is there room for one more message? Octets and inodes, asked for at most once a second. */
import fs from 'node:fs'
import { noSpace, tryLater } from '../mail/refusal.js'

/** How long an answer of the file system is good for. */
const FRESH_MS = 1_000
/** Inodes that stay free whatever comes in: a delivery needs one, a new Maildir four. */
const RESERVE_INODES = 256
/** A message needs more than its size: its file's last block, its names, its copies in `tmp` and queue. */
const HEADROOM = 1.5

interface Free {
  readonly bytes: number
  readonly inodes: number
}

export class Room {
  readonly #roots: () => Iterable<string>
  readonly #reserveBytes: number
  #asked = -Infinity
  #answer: Promise<readonly Free[]> = Promise.resolve([])

  /** @param roots directories of the file systems; there is room when one of them has it */
  constructor(roots: () => Iterable<string>, reserveBytes: number) {
    this.#roots = roots
    this.#reserveBytes = reserveBytes
  }

  /**
   * One full disk of several must not stop the others' mail, so this refuses
   * when all are full; the delivery itself refuses for a single one.
   * @param size octets, `null` if unknown
   * @throws Refusal noSpace; tryLater when no file system answers
   */
  async check(size: number | null): Promise<void> {
    const needed = Math.max(HEADROOM * (size ?? 0), this.#reserveBytes)
    const room = (free: Free): boolean => free.bytes >= needed && free.inodes >= RESERVE_INODES
    if (!(await this.#free()).some(room)) throw noSpace()
  }

  #free(): Promise<readonly Free[]> {
    const now = performance.now()
    if (now - this.#asked >= FRESH_MS) {
      this.#asked = now
      this.#answer = ask([...this.#roots()])
    }
    return this.#answer
  }
}

async function ask(roots: readonly string[]): Promise<readonly Free[]> {
  const answers = await Promise.allSettled(roots.map(freeAt))
  const known = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  if (known.length > 0) return known
  throw tryLater(answers.find((answer) => answer.status === 'rejected')?.reason)
}

/** What this process may use: the blocks kept for root are not counted, whoever we are. */
async function freeAt(root: string): Promise<Free> {
  const { bavail, bsize, ffree, files } = await fs.promises.statfs(root)
  // Some file systems make inodes as they go and say that there are none at all.
  return { bytes: bavail * bsize, inodes: files === 0 ? Infinity : ffree }
}
