/** The types of checkers that a config can name: `TYPE` or `TYPE:ARGUMENT`. */
import type { Checker } from '../cred/checker.js'
import type { Directory } from '../directory/directory.js'
import { DirectoryChecker } from './directory.js'
import type { Slots } from './slots.js'

/** What the server has that a checker may need. */
export interface Parts {
  readonly directory: Directory
  readonly slots: Slots
  /** 32 octets that only this server knows, the same after a restart. */
  readonly secret: Buffer
}

export interface CheckerType {
  /** One line for people. */
  readonly help: string
  readonly example: string
  /**
   * @param argument what stood after the first colon; `null` if there was none
   * @throws BadChecker
   */
  make(argument: string | null, parts: Parts): Checker
}

/** A checker that the config names and that cannot be made; the message says what can. */
export class BadChecker extends Error {
  override readonly name = 'BadChecker'
}

/** By name. */
export const checkerTypes: ReadonlyMap<string, CheckerType> = new Map([
  [
    'directory',
    {
      help: 'the accounts of the own domains: the files in .users; takes no argument',
      example: 'directory',
      make(argument, { directory, slots, secret }) {
        if (argument === null) return new DirectoryChecker(directory, slots, secret)
        throw new BadChecker('the checker "directory" takes no argument')
      },
    } satisfies CheckerType,
  ],
])

/**
 * Makes the checker that a spec names.
 * @throws BadChecker
 */
export function makeChecker(spec: string, parts: Parts): Checker {
  const [, name = '', argument = null] = /^([^:]*)(?::(.*))?$/s.exec(spec) ?? []
  const type = checkerTypes.get(name)
  if (type !== undefined) return type.make(argument, parts)
  const known = [...checkerTypes.keys()].join(', ')
  throw new BadChecker(`there is no checker type ${JSON.stringify(name)}; there is: ${known}`)
}
