/** Servers that keep no state: their ids follow from the names of the files, flags included or not. */
import { createHash } from 'node:crypto'
import { baseOf } from './names.js'
import { byText, type KnownMessage } from './foreign.js'

/** A message's file. */
export interface ForeignFile {
  /** With flags, a character per octet. */
  readonly name: string
  /** When its content changed last, in whole seconds. */
  readonly seconds: number
}

/** qmail-pop3d (and vpopmail with it): the name up to the colon; by time of the file. */
export function knownToQmail(files: readonly ForeignFile[]): KnownMessage[] {
  // Files of one second come in no order that could be told.
  const byTime = (a: ForeignFile, b: ForeignFile): number =>
    a.seconds - b.seconds || byText(a.name, b.name)
  return files.toSorted(byTime).map(({ name }) => ({ base: baseOf(name), uid: baseOf(name) }))
}

/**
 * Twisted Mail: the MD5 of the whole name, so that an id changed whenever the
 * flags did; those of the flags it has now are the last that clients have seen.
 */
export function knownToTwisted(files: readonly ForeignFile[]): KnownMessage[] {
  return files
    .toSorted((a, b) => byText(a.name, b.name))
    .map(({ name }) => {
      return { base: baseOf(name), uid: createHash('md5').update(name, 'latin1').digest('hex') }
    })
}
