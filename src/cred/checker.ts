/** Says who somebody is, from what they bring. */
import type { Credentials, Kind } from './credentials.js'
import type { ScramChallenge } from './scram.js'

/** The canonical name of somebody: `local@domain`, or {@link ANONYMOUS}. */
export type AvatarId = string

/** The id of a client that did not say who it is. */
export const ANONYMOUS: AvatarId = ''

/** One way to tell who somebody is: a user database, a directory service, a plugin. */
export interface Checker {
  /** The credentials that this checker can judge; the portal sends it no others. */
  readonly kinds: readonly Kind[]

  /**
   * Yes: an id. No: `null`. Throws when it cannot tell (a file that cannot be
   * read, a server that is down): that must never look like a wrong password.
   */
  requestAvatarId(credentials: Credentials): Promise<AvatarId | null>

  /**
   * What a client must know before it can make a proof; only of checkers of the kind `scram`.
   * A name that nobody has gets an answer that looks like any other, and the same each time.
   * Throws as `requestAvatarId` does.
   */
  scramChallenge?(username: string): Promise<ScramAnswer>
}

export interface ScramAnswer extends ScramChallenge {
  /** False: nobody can prove to have that name. Never told to the client. */
  readonly known: boolean
}
