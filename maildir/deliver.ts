/**
 * Delivery into a Maildir: a letter in memory or in a file by a thread (batch.ts),
 * any other piece by piece from here. The order is what makes it survive a power cut:
 * file, fsync, link, fsync of the directory, and only then "done". A link
 * never overwrites, as a rename would.
 */
import fs from 'node:fs'
import { BatchThreads, type Order } from './batch-threads.js'
import { create, requireMaildir } from './directories.js'
import { errorCode, WrongSize } from './errors.js'
import { thrown } from './failure.js'
import { fill } from './fill.js'
import { GroupCommit } from './group-commit.js'
import type { Content, Filed, Letter } from './maildir.js'
import { finalName, UniqueNames } from './names.js'
import { link, openFresh, syncDirectory, syncFile, unlink } from './system.js'

/** How many names are tried when one is taken. */
const MAX_TRIES = 3

/** Letters up to this size go to a thread, if they are in memory. */
const MAX_BATCHED = 2 * 1024 * 1024
/** Threads that copy letters from files: those keep a disk busy, and small ones shall not wait for them. */
const MAX_COPYING = 2

const threads = new BatchThreads()
const copying = new BatchThreads(undefined, MAX_COPYING)

/** Where a thread finds the content: in memory, and then perhaps in a file. */
interface Source extends Pick<Order, 'rest'> {
  readonly pieces: readonly Buffer[]
}

/** A file in `tmp` that nobody else knows of. */
interface Draft {
  readonly fd: number
  readonly name: string
  readonly path: string
}

/** Delivers into any number of Maildirs. One per process: deliveries share the fsync of a directory. */
export class Delivery {
  readonly #names: UniqueNames
  readonly #published = new GroupCommit(syncNew)

  /** @param host this machine's name, for the names of the files */
  constructor(host: string) {
    this.#names = new UniqueNames(host)
  }

  /**
   * Delivers a letter; a missing Maildir is made if its parent exists. When
   * this resolves the message survives a power cut; when it throws, nothing of
   * it is visible.
   * @returns the path of the message
   * @throws the system's error, NotAMaildir, WrongSize, or what the content throws
   */
  async deliver(maildir: string, letter: Letter): Promise<string> {
    if (letter.filed !== undefined) return this.#copied(maildir, letter, letter.filed)
    const content = letter.open()
    if (letter.size <= MAX_BATCHED && Symbol.iterator in content) {
      const pieces = gather(content, letter.size)
      return this.#byThread(threads, maildir, letter, { pieces })
    }
    return this.#streamed(maildir, letter, content)
  }

  /**
   * Delivers one letter into several Maildirs: it is written once, and each has a name for the
   * same file. Where that cannot be (another disk, too many names), there is a copy.
   * @param maildirs each once
   * @returns for each what `deliver` returns, or what it would throw
   */
  async deliverAll(maildirs: readonly string[], letter: Letter): Promise<(string | Error)[]> {
    const results: (string | Error)[] = []
    let at = 0
    let source: string | null = null
    while (source === null && at < maildirs.length) {
      const result = await caught(this.deliver(maildirs[at++]!, letter))
      results.push(result)
      if (typeof result === 'string') source = result
    }
    const rest = maildirs.slice(at).map((maildir) => this.#shared(maildir, letter, source!))
    return [...results, ...(await Promise.all(rest))]
  }

  /** @param source a message in another Maildir; its owner may have moved or removed it by now */
  async #shared(maildir: string, letter: Letter, source: string): Promise<string | Error> {
    const name = finalName(this.#names.next(), letter.size, letter.lines)
    const failure = await threads.deliver({ maildir, draft: '', name, source }, [])
    return failure === null ? `${maildir}/new/${name}` : caught(this.deliver(maildir, letter))
  }

  async #byThread(
    thread: BatchThreads,
    maildir: string,
    { size, lines }: Letter,
    { pieces, ...rest }: Source,
  ): Promise<string> {
    return retrying(maildir, async () => {
      const draft = this.#names.next()
      const name = finalName(draft, size, lines)
      const failure = await thread.deliver({ maildir, draft, name, ...rest }, pieces)
      if (failure !== null) throw thrown(failure)
      return `${maildir}/new/${name}`
    })
  }

  async #copied(maildir: string, letter: Letter, filed: Filed): Promise<string> {
    const { head } = filed
    const octets = letter.size - head.length
    return filed.use((fd) =>
      this.#byThread(copying, maildir, letter, { pieces: [head], rest: { fd, octets } }),
    )
  }

  async #streamed(maildir: string, letter: Letter, content: Content): Promise<string> {
    const draft = await this.#draft(maildir)
    let visible: string | null = null
    try {
      await write(draft.fd, letter.size, content)
      visible = await this.#publish(maildir, draft, letter)
      await this.#published.commit(maildir)
    } catch (error) {
      await discard(visible)
      await discard(draft.path)
      throw error
    }
    // The message is safe: a leftover in tmp is no reason to deny that.
    await discard(draft.path)
    return visible
  }

  async #draft(maildir: string): Promise<Draft> {
    return retrying(maildir, async () => {
      // Before the first byte, not only before the "yes" (syncNew).
      requireMaildir(maildir)
      const name = this.#names.next()
      const path = `${maildir}/tmp/${name}`
      return { fd: await openFresh(path), name, path }
    })
  }

  async #publish(maildir: string, draft: Draft, letter: Letter): Promise<string> {
    return retrying(maildir, async (tries) => {
      const unique = tries === 1 ? draft.name : this.#names.next()
      const path = `${maildir}/new/${finalName(unique, letter.size, letter.lines)}`
      await link(draft.path, path)
      return path
    })
  }
}

async function caught(delivery: Promise<string>): Promise<string | Error> {
  try {
    return await delivery
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** All pieces of a letter, but never more than it promised. */
function gather(content: Iterable<Buffer>, size: number): Buffer[] {
  const pieces: Buffer[] = []
  let left = size
  for (const piece of content) {
    left -= piece.length
    if (left < 0) throw new WrongSize('the content is longer than it said')
    pieces.push(piece)
  }
  if (left > 0) throw new WrongSize('the content is shorter than it said')
  return pieces
}

/** Tries again under a new name when one is taken, and makes a Maildir that is not there. */
async function retrying<T>(maildir: string, attempt: (tries: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt(tries)
    } catch (error) {
      const code = errorCode(error)
      if (tries === MAX_TRIES || (code !== 'EEXIST' && code !== 'ENOENT')) throw error
      if (code === 'ENOENT') await create(maildir)
    }
  }
}

/** Writes and closes. fsync is called once: after one that failed the next would lie. */
async function write(fd: number, size: number, content: Content): Promise<void> {
  try {
    await fill(fd, size, content)
    await syncFile(fd)
  } catch (error) {
    closeAnyway(fd)
    throw error
  }
  fs.closeSync(fd)
}

function closeAnyway(fd: number): void {
  try {
    fs.closeSync(fd)
  } catch {
    // The error that led here is the one to tell.
  }
}

/** The links must have gone into this Maildir, not through a symbolic link into another. */
async function syncNew(maildir: string): Promise<void> {
  requireMaildir(maildir)
  await syncDirectory(`${maildir}/new`)
}

/** Removes what was made. An error here must not hide the one that led here. */
async function discard(path: string | null): Promise<void> {
  if (path === null) return
  try {
    await unlink(path)
  } catch {
    // A leftover in tmp is harmless; one in new is a second copy, never a loss.
  }
}
