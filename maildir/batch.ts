/**
 * Delivers letters that are in memory or in a file, one after another, and waits for the
 * disk: for a thread that has nothing else to do. The order of the steps is
 * that of deliver.ts; the letters of a batch share the fsync of a directory.
 */
import fs from 'node:fs'
import { requireMaildir } from './directories.js'
import { errorCode } from './errors.js'
import { type Failure, failureOf } from './failure.js'
import { shareNow } from './share.js'
import { writeAll, writeFrom } from './write-now.js'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants

/** A letter as it travels to the thread. */
export interface Job {
  readonly maildir: string
  /** Its name in `tmp`. */
  readonly draft: string
  /** Its name in `new`. */
  readonly name: string
  /** Where its bytes begin and end in those of the batch. */
  readonly from: number
  readonly to: number
  /**
   * A message that is safe on the disk already, in another Maildir: it gets one more name, no
   * draft is made, and the job has no bytes.
   */
  readonly source?: string
  /** A file whose first so many octets follow its bytes in the batch. */
  readonly rest?: { readonly fd: number; readonly octets: number }
}

/** @returns what became of each job, in their order: `null` = safe on the disk; else nothing of it is visible */
export function deliverBatch(jobs: readonly Job[], bytes: Uint8Array): (Failure | null)[] {
  const folders = new Map<string, number>()
  const linked = jobs.map((job) =>
    attempt(() => {
      if (!folders.has(job.maildir)) folders.set(job.maildir, openNew(job.maildir))
      if (job.source === undefined) publish(job, bytes)
      else shareNow(job.source, job.maildir, job.name)
    }),
  )
  const awaited = new Set(jobs.filter((_, at) => linked[at] === null).map((job) => job.maildir))
  const synced = new Map<string, Failure | null>()
  for (const [maildir, fd] of folders) {
    const failure = attempt(() => syncAndClose(fd, awaited.has(maildir)))
    synced.set(maildir, failure)
  }
  return jobs.map((job, at) => conclude(job, linked[at]!, synced.get(job.maildir)!))
}

/**
 * Opens `new` before anything is linked into it: the kernel tells each open
 * descriptor of a write that failed, but one that is opened after another
 * thread's fsync was told would never hear of it. Looks first whether it is a
 * Maildir, so that nothing goes through a symbolic link into another.
 */
function openNew(maildir: string): number {
  requireMaildir(maildir)
  return fs.openSync(`${maildir}/new`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
}

/** Up to the link. fsync is called once: after one that failed the next would lie. */
function publish({ maildir, draft, name, from, to, rest }: Job, bytes: Uint8Array): void {
  const path = `${maildir}/tmp/${draft}`
  const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    try {
      if (rest === undefined) writeAll(fd, bytes.subarray(from, to))
      else writeFrom(rest.fd, rest.octets, bytes.subarray(from, to), fd)
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
    fs.linkSync(path, `${maildir}/new/${name}`)
  } catch (error) {
    discard(path)
    throw error
  }
}

/** A file system that cannot sync a directory says EINVAL and does it by itself. */
function syncAndClose(fd: number, awaited: boolean): void {
  try {
    if (awaited) fs.fsyncSync(fd)
  } catch (error) {
    if (errorCode(error) !== 'EINVAL') throw error
  } finally {
    fs.closeSync(fd)
  }
}

function conclude(job: Job, linked: Failure | null, synced: Failure | null): Failure | null {
  // Whoever was not linked has cleaned up behind himself.
  if (linked !== null) return linked
  const { maildir, draft, name, source } = job
  if (synced !== null) discard(`${maildir}/new/${name}`)
  if (source === undefined) discard(`${maildir}/tmp/${draft}`)
  return synced
}

function attempt(step: () => void): Failure | null {
  try {
    step()
    return null
  } catch (error) {
    return failureOf(error)
  }
}

function discard(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch {
    // A leftover in tmp is harmless; one in new is a second copy, never a loss.
  }
}
