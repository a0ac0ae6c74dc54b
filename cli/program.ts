/** Reads the command line and calls the command that it names. The one door to commander. */
import { Command as Parser, CommanderError, Option as ParserOption } from 'commander'
import { CONFIG, Given, type Command, type GivenOption, type Noun } from './command.js'
import { Exit, notBuilt, usage } from './exit.js'

export interface Program {
  readonly version: string
  readonly commands: readonly (Command | Noun)[]
  /** Words of the product that this version answers with "not yet". */
  readonly later: readonly string[]
}

/**
 * @param words the command line without the program's name
 * @returns the exit code
 * @throws Failure, and whatever the command throws
 */
export async function runProgram(program: Program, words: readonly string[]): Promise<number> {
  const parser = parserOf(program)
  try {
    await parser.parseAsync(asOptions(words, parser), { from: 'user' })
  } catch (error) {
    return endOf(error)
  }
  return Exit.ok
}

/** `help user add` is `user add --help`. */
function asOptions(words: readonly string[], parser: Parser): readonly string[] {
  const [first, ...rest] = words
  if (first !== 'help') return words
  const [about] = rest
  const known = parser.commands.some((command) => command.name() === about)
  if (about === undefined || known) return [...rest, '--help']
  throw usage(`help: unknown command '${about}'; 'mailtap help' tells what there is`)
}

/** Help and version are good ends, too. */
function endOf(error: unknown): number {
  if (!(error instanceof CommanderError)) throw error
  if (error.exitCode === 0) return Exit.ok
  // Without a command there is nothing to complain about but that: the help was printed.
  if (error.code === 'commander.help') return Exit.usage
  const what = error.message.replace(/^error: |\s+$/g, '').replace(/\s+/g, ' ')
  throw usage(`${what}; 'mailtap COMMAND --help' tells what there is`)
}

function parserOf({ version, commands, later }: Program): Parser {
  const parser = prepared(new Parser('mailtap'))
    .description('A mail toaster: SMTP in, POP3 out, any number of virtual domains.')
    .version(version, '-V, --version', 'print the version')
    .option(CONFIG.flags, CONFIG.help)
    .enablePositionalOptions()
    .addHelpText('after', "\n'mailtap help COMMAND' tells more of one.")
  for (const each of commands) {
    parser.addCommand('commands' in each ? nounParser(each) : commandParser(each))
  }
  for (const name of later) addLater(parser, name)
  return parser
}

function nounParser({ name, summary, commands }: Noun): Parser {
  const parser = prepared(new Parser(name)).description(summary)
  for (const command of commands) parser.addCommand(commandParser(command))
  return parser
}

function commandParser(command: Command): Parser {
  const parser = prepared(new Parser(command.name)).description(command.summary)
  const options: GivenOption[] = []
  for (const each of command.argument?.split(' ') ?? []) parser.argument(each)
  for (const { flags, help } of command.options) {
    const option = new ParserOption(flags, help)
    // Events come in the order of the command line; the parser's own result forgets it.
    parser.on(`option:${option.name()}`, (value: string | null | undefined) => {
      options.push({ name: option.name(), value: value ?? true })
    })
    parser.addOption(option)
  }
  return parser.action(async (...words: unknown[]) => {
    const all = [...configBefore(parser, command), ...options]
    // What may come more than once comes as a list.
    const [first = null, ...others] = words.flat().filter((word) => typeof word === 'string')
    await command.run(new Given(first, all, others))
  })
}

/** `mailtap -c FILE user list`: the option before the command. */
function configBefore(parser: Parser, command: Command): GivenOption[] {
  let root = parser
  while (root.parent !== null) root = root.parent
  const { config } = root.opts<{ config?: string }>()
  if (config === undefined) return []
  if (command.options.includes(CONFIG)) return [{ name: 'config', value: config }]
  throw usage(`-c: 'mailtap ${command.name}' reads no config; leave it out`)
}

/** `user enable`, `queue`: known words with whatever follows them. */
function addLater(parser: Parser, name: string): void {
  const [noun, verb] = name.split(' ') as [string, string?]
  const parent = verb === undefined ? parser : parser.commands.find((each) => each.name() === noun)!
  const refusing = prepared(new Parser(verb ?? noun))
  refusing.argument('[anything...]').allowUnknownOption().helpOption(false)
  refusing.action(() => {
    throw notBuilt(`'mailtap ${name}'`)
  })
  parent.addCommand(refusing, { hidden: true })
}

/** Errors are thrown, not printed: main.ts says them in one line. */
function prepared(parser: Parser): Parser {
  return parser
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: (text) => process.stderr.write(text) })
    .showSuggestionAfterError()
    .helpCommand(false)
    .helpOption('-h, --help', 'print this help')
}
