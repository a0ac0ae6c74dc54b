/** What a command of the command line is, whatever reads that line. */

export interface Option {
  /** Such as `-d, --domain <NAME=PATH>`. Its long name is the key in {@link Given}. */
  readonly flags: string
  readonly help: string
}

export interface Command {
  readonly name: string
  readonly summary: string
  /** Such as `<address>`, `[domain]`, `<path> <address>`. */
  readonly argument?: string
  readonly options: readonly Option[]
  /** @throws Failure */
  run(given: Given): Promise<void>
}

/** Commands about one thing: `mailtap user add`. */
export interface Noun {
  readonly name: string
  readonly summary: string
  readonly commands: readonly Command[]
}

/** One option as it was given. */
export interface GivenOption {
  readonly name: string
  /** `true` for an option without a value. */
  readonly value: string | true
}

/** What stood on the command line, the options in their order. */
export class Given {
  readonly argument: string | null
  readonly options: readonly GivenOption[]
  /** The arguments after the first. */
  readonly others: readonly string[]

  constructor(
    argument: string | null,
    options: readonly GivenOption[],
    others: readonly string[] = [],
  ) {
    this.argument = argument
    this.options = options
    this.others = others
  }

  has(name: string): boolean {
    return this.options.some((option) => option.name === name)
  }

  /** The value given last, as later options overrule earlier ones. */
  last(name: string): string | null {
    return this.all(name).at(-1) ?? null
  }

  all(name: string): string[] {
    const named = this.options.filter((option) => option.name === name)
    return named.flatMap(({ value }) => (value === true ? [] : [value]))
  }
}

export const CONFIG: Option = {
  flags: '-c, --config <file>',
  help: 'config file (default: $MAILTAP_CONFIG, ./mailtap.toml, /etc/mailtap/mailtap.toml)',
}
export const JSON_OUTPUT: Option = { flags: '--json', help: 'print JSON' }
export const DRY_RUN: Option = {
  flags: '-n, --dry-run',
  help: 'say what would be done, change nothing',
}
