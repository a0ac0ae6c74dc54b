/** What is wrong with the settings: all of it at once, each with its place. */
import { formatPlace, type Source } from './source.js'

export interface ConfigProblem {
  /** `file:line:column`, or the file alone when the problem has no place in it. */
  readonly where: string
  /** What is wrong and which form is expected, in one line. */
  readonly what: string
}

/** The settings can not be used. The message has a line for each problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(({ where, what }) => `${where}: ${what}`).join('\n'), options)
    this.problems = problems
  }
}

/** Gathers problems, so that a person gets them all in one go. */
export class Problems {
  readonly #found: ConfigProblem[] = []
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
  }

  add(path: readonly (string | number)[], what: string): void {
    this.#found.push({ where: formatPlace(this.#source.where(path)), what })
  }

  get any(): boolean {
    return this.#found.length > 0
  }

  error(): ConfigError {
    return new ConfigError(this.#found)
  }
}
