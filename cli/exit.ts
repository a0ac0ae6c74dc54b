/** How the program ends: the codes of sysexits(3) that mailtap uses, and the error that carries one. */

export const Exit = {
  ok: 0,
  /** The command line is wrong. */
  usage: 64,
  /** The input is wrong: a password, a file. */
  badData: 65,
  noSuchUser: 67,
  /** Not in this version, or a port is taken. */
  unavailable: 69,
  /** A fault of ours. */
  software: 70,
  cannotCreate: 73,
  tryLater: 75,
  noPermission: 77,
  badConfig: 78,
  /** As shells report a Ctrl-C. */
  interrupted: 130,
} as const

/** An expected end with an error: a line for each problem, and the exit code. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: number
  readonly lines: readonly string[]

  /** @param what the line, or the lines: what is wrong, where, and what to do */
  constructor(code: number, what: string | readonly string[], options?: ErrorOptions) {
    const lines = typeof what === 'string' ? [what] : what
    super(lines.join('\n'), options)
    this.code = code
    this.lines = lines
  }
}

/** The command line asks for something that is not there, or not in that form. */
export const usage = (what: string): Failure => new Failure(Exit.usage, what)

/** Part of the product, but not of this version. */
export const notBuilt = (what: string): Failure =>
  new Failure(Exit.unavailable, `${what} is not in this version yet`)
