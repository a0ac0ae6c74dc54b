/**
 * What the spool does with its files, one after another and waiting for the disk: for a thread
 * that has nothing else to do. Tasks of one batch share the fsync of a directory.
 */
import fs from 'node:fs'
import { type Failure, failureOf, StrangeFile } from './disk-failure.js'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants

export const BODY = '.msg'
export const ENVELOPE = '.env'
/** Behind the name of a file that is being written. */
export const DRAFT = '.tmp'

/** One thing to do for one message; nobody else may do anything for it meanwhile. */
export type Task =
  /** Makes both files. */
  | {
      readonly kind: 'add'
      readonly directory: string
      readonly id: string
      /** The body and, behind it, the envelope. */
      readonly bytes: Uint8Array
      /** Octets of the body; `null` = its draft is there already, and on the disk. */
      readonly body: number | null
    }
  /** Puts a new envelope in the place of the old one. */
  | {
      readonly kind: 'rewrite'
      readonly directory: string
      readonly id: string
      readonly bytes: Uint8Array
    }
  /** Takes both files away. */
  | { readonly kind: 'remove'; readonly directory: string; readonly id: string }
  /** Reads the envelope, and how large the body is. */
  | {
      readonly kind: 'read'
      readonly directory: string
      readonly id: string
      readonly max: number
    }
  /** Reads the body. */
  | {
      readonly kind: 'body'
      readonly directory: string
      readonly id: string
      readonly max: number
    }

/** What came of a task. */
export interface Done {
  /** What was read. */
  readonly bytes?: Uint8Array
  /** Octets of the body, -1 = there is none. */
  readonly body?: number
  /** `null` = it is done, and durable if it was a write. */
  readonly failure: Failure | null
}

/** @returns what came of each task, in their order */
export function doAll(tasks: readonly Task[]): Done[] {
  const directories = new Map<string, number>()
  const done = tasks.map((task) =>
    attempt(() => {
      if (writes(task)) openOnce(directories, task.directory)
      return perform(task)
    }),
  )
  const awaited = new Set(
    tasks.filter((task, at) => writes(task) && done[at]?.failure === null).map(directoryOf),
  )
  const synced = new Map<string, Failure | null>()
  for (const [directory, fd] of directories) {
    const result = attempt(() => syncAndClose(fd, awaited.has(directory)))
    synced.set(directory, result.failure)
  }
  return tasks.map((task, at) => conclude(task, done[at]!, synced.get(task.directory) ?? null))
}

const writes = ({ kind }: Task): boolean => kind === 'add' || kind === 'rewrite'
const directoryOf = ({ directory }: Task): string => directory

/** Before anything is written: a descriptor that is opened later might not hear of a write that failed. */
function openOnce(directories: Map<string, number>, path: string): void {
  if (directories.has(path)) return
  directories.set(path, fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
}

function perform(task: Task): Omit<Done, 'failure'> | void {
  const path = `${task.directory}/${task.id}`
  switch (task.kind) {
    case 'add':
      return add(path, task.bytes, task.body)
    case 'rewrite':
      return rewrite(path, task.bytes)
    case 'remove':
      return remove(path)
    case 'read':
      return { bytes: readWhole(path + ENVELOPE, task.max), body: sizeOf(path + BODY) }
    case 'body':
    default:
      return { bytes: readWhole(path + BODY, task.max) }
  }
}

/** The body first: an envelope is what makes a message, and it must not stand there without one. */
function add(path: string, bytes: Uint8Array, body: number | null): void {
  try {
    if (body !== null) writeDraft(path + BODY, bytes.subarray(0, body))
    writeDraft(path + ENVELOPE, bytes.subarray(body ?? 0))
    publish(path + BODY)
    publish(path + ENVELOPE)
  } catch (error) {
    undo(path)
    throw error
  }
}

function rewrite(path: string, bytes: Uint8Array): void {
  try {
    writeDraft(path + ENVELOPE, bytes)
    publish(path + ENVELOPE)
  } catch (error) {
    discard(path + ENVELOPE + DRAFT)
    throw error
  }
}

/**
 * The envelope first: a body without one is nothing but space. No fsync: a removal that a power
 * cut undoes brings back a message that was delivered, which is a second copy and never a loss,
 * and a process that is killed undoes nothing.
 */
function remove(path: string): void {
  unlinkIfThere(path + ENVELOPE)
  unlinkIfThere(path + BODY)
}

/** fsync is called once: after one that failed the next would lie. */
function writeDraft(path: string, bytes: Uint8Array): void {
  const fd = openDraft(path + DRAFT)
  try {
    writeAll(fd, bytes)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** A draft that is there already was left by a crash: nobody else writes here. */
function openDraft(path: string): number {
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
  try {
    return fs.openSync(path, flags, 0o600)
  } catch (error) {
    if (failureOf(error).code !== 'EEXIST') throw error
  }
  fs.unlinkSync(path)
  return fs.openSync(path, flags, 0o600)
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const written = fs.writeSync(fd, bytes, at, bytes.length - at)
    if (written === 0) throw new Error('the system took no bytes and gave no reason')
    at += written
  }
}

const publish = (path: string): void => fs.renameSync(path + DRAFT, path)

function readWhole(path: string, max: number): Uint8Array {
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stats = fs.fstatSync(fd)
    if (!stats.isFile()) throw new StrangeFile('not a regular file')
    if (stats.size > max) throw new StrangeFile(`larger than ${max} octets`)
    const bytes = new Uint8Array(stats.size)
    let at = 0
    for (let got = -1; got !== 0 && at < bytes.length; at += got) {
      got = fs.readSync(fd, bytes, at, bytes.length - at, null)
    }
    return at === bytes.length ? bytes : bytes.slice(0, at)
  } finally {
    fs.closeSync(fd)
  }
}

/** -1 for what is no regular file, or not there. */
function sizeOf(path: string): number {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false })
  return stats?.isFile() === true ? stats.size : -1
}

/** A file system that cannot sync a directory says EINVAL and does it by itself. */
function syncAndClose(fd: number, awaited: boolean): void {
  try {
    if (awaited) fs.fsyncSync(fd)
  } catch (error) {
    if (failureOf(error).code !== 'EINVAL') throw error
  } finally {
    fs.closeSync(fd)
  }
}

function conclude(task: Task, done: Done, synced: Failure | null): Done {
  if (done.failure !== null || synced === null || !writes(task)) return done
  // A new envelope that was not synced may stay: the old one is gone, and both are true enough.
  if (task.kind === 'add') undo(`${task.directory}/${task.id}`)
  return { failure: synced }
}

/** Leaves nothing of a message that was not taken; the envelope goes first. */
function undo(path: string): void {
  for (const end of [ENVELOPE, BODY, ENVELOPE + DRAFT, BODY + DRAFT]) discard(path + end)
}

function attempt(step: () => Omit<Done, 'failure'> | void): Done {
  try {
    return { ...step(), failure: null }
  } catch (error) {
    return { failure: failureOf(error) }
  }
}

function unlinkIfThere(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch (error) {
    if (failureOf(error).code !== 'ENOENT') throw error
  }
}

function discard(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch {
    // What is left is a body or a draft, which the next start clears away; an envelope is a second copy.
  }
}
