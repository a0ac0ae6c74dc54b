/** What is wrong with the settings: all of it at once, each with its place. */
import { formatPlace, type Path, type Source, type SourcePlace } from './source.js'

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
  readonly #found: { readonly place: SourcePlace; readonly what: string }[] = []
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
  }

  add(path: Path, what: string): void {
    this.#found.push({ place: this.#source.where(path), what })
  }

  get any(): boolean {
    return this.#found.length > 0
  }

  error(): ConfigError {
    const inOrder = this.#found.toSorted((one, other) => compare(one.place, other.place))
    return new ConfigError(inOrder.map(({ place, what }) => ({ where: formatPlace(place), what })))
  }
}

/** As a person goes through them: file by file, from the top. */
function compare(one: SourcePlace, other: SourcePlace): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1
  const [a, b] = [one.place, other.place].map((place) => place ?? { line: 0, column: 0 })
  return a!.line - b!.line || a!.column - b!.column
}
