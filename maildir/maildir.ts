/**
 * A Maildir as a library (maildir(5), Maildir++): deliver, list, read, remove.
 * It knows files, not users, domains or protocols. This file is its contract.
 */
import type { Identity } from './identity.js'
import type { ReadAhead } from './read-ahead.js'

export { Delivery } from './deliver.js'
export { create } from './directories.js'
export {
  errorCode,
  MaildirFault,
  MessageGone,
  MessageUnsafe,
  NotAMaildir,
  WrongSize,
} from './errors.js'
export { list } from './list.js'
export { read } from './read.js'
export { mayWarn, noteAdded, notWarned, usageOf } from './quota.js'
export { remove } from './remove.js'
export { sweepTrash } from './trash.js'
export { type Deleted, deleted, undelete } from './undelete.js'
export { fits, fullness, minus, NOTHING, plus, type Quota, type Usage, WARNED_AT } from './usage.js'

/** Bytes in order: at once when they are in memory, piece by piece when they come from elsewhere. */
export type Content = Iterable<Buffer> | AsyncIterable<Buffer>

/**
 * What becomes of the pieces of content that are read: kept by whoever asked for them, or
 * passed on before the next one is asked for, whose memory it may be then.
 */
export type Pieces = 'kept' | 'passed'

/** What is delivered. Lines end in LF. */
export interface Letter {
  /** Octets with LF line ends; the content must be exactly that long. */
  readonly size: number
  /** How many LF there are. */
  readonly lines: number
  /** Its content from the first byte; called again where it is delivered again. */
  open(): Content
  /** Where the content lies in a file that this process has open, to be copied from there. */
  readonly filed?: Filed
}

/** Content in a file. */
export interface Filed {
  /** Stands in front of what is in the file, which has the rest of the letter's octets from its beginning. */
  readonly head: Buffer
  /** Lends the descriptor until the work is done. @throws what the work throws */
  use<T>(work: (fd: number) => Promise<T>): Promise<T>
}

/** A message in a Maildir. */
export interface Entry {
  /** Its position in the listing, from 0. */
  readonly at: number
  /** Octets with CR LF line ends. */
  readonly size: number
  /** The file's name without flags: what it is found by when another program moves it. */
  readonly base: string
  /** 1 to 70 characters 0x21–0x7E, the same whatever happens to the flags (RFC 1939 section 7). */
  readonly uid: string
  /** Which file it was, if its name may mean another one by now. */
  readonly identity: Identity | null
  /** Where its file was when it was listed, as in `Places`. */
  readonly places: readonly string[]
}

/** The messages that a Maildir held when it was listed. */
export interface Listing {
  readonly path: string
  /** The user id that owns the Maildir. */
  readonly owner: number
  /** Oldest first. */
  readonly entries: readonly Entry[]
  /** Where all files are, from the moment that one was not where it had been. */
  moved: Places | null
  /** Small messages that somebody may ask for next. */
  readonly ahead: ReadAhead
}

/**
 * Where files are: base → `new/name` or `cur/name`, the best place first, a
 * character per byte. More than one place only while a move goes on.
 */
export type Places = ReadonlyMap<string, readonly string[]>
