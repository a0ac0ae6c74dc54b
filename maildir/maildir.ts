/**
 * A Maildir as a library (maildir(5), Maildir++): deliver, list, read, remove.
 * It knows files, not users, domains or protocols. This file is its contract.
 */
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
export { remove } from './remove.js'

/** Bytes in order: at once when they are in memory, piece by piece when they come from elsewhere. */
export type Content = Iterable<Buffer> | AsyncIterable<Buffer>

/** What is delivered. Lines end in LF. */
export interface Letter {
  /** Octets with LF line ends; the content must be exactly that long. */
  readonly size: number
  /** How many LF there are. */
  readonly lines: number
  /** Called once. */
  open(): Content
}

/** A message in a Maildir. */
export interface Entry {
  /** The file's name without flags: what it is found by when another program moves it. */
  readonly base: string
  /** 1 to 70 characters 0x21–0x7E, the same whatever happens to the flags (RFC 1939 section 7). */
  readonly uid: string
  /** Octets with CR LF line ends. */
  readonly size: number
}

/** The messages that a Maildir held when it was listed, and where their files were seen last. */
export interface Listing {
  readonly path: string
  /** The user id that owns the Maildir. */
  readonly owner: number
  /** Oldest first. */
  readonly entries: readonly Entry[]
  /** Brought up to date whenever a message is not where it was. */
  places: Places
}

/**
 * Where files are: base → `new/name` or `cur/name`, the best place first, a
 * character per byte. More than one place only while a move goes on.
 */
export type Places = ReadonlyMap<string, readonly string[]>
