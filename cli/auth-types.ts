/** The checkers that `--auth` can name, and what `--help-auth` says of them. */
import { Exit, Failure } from './exit.js'

interface AuthType {
  readonly summary: string
  readonly help: readonly string[]
}

const TYPES = new Map<string, AuthType>([
  [
    'directory',
    {
      summary: 'the user files in .users of each domain',
      help: [
        'directory',
        '  Looks a user up in the directory .users of the domain: a file per user, its',
        "  name the user, its first line the password hash. Made by 'mailtap user add'.",
        '  Argument: none.',
        '  Example:  mailtap create -d example.com=./Maildir --auth directory',
      ],
    },
  ],
])

export function isAuthType(name: string): boolean {
  return TYPES.has(name)
}

/**
 * The lines for `--help-auth`, or those for one type.
 * @throws Failure when there is no such type
 */
export function authHelp(name: string | null): readonly string[] {
  if (name === null) {
    const types = [...TYPES].map(([type, { summary }]) => `  ${type.padEnd(12)}${summary}`)
    return ['Who may check passwords (--auth TYPE[:ARG]), asked in the order given:', ...types]
  }
  const type = TYPES.get(name)
  if (type !== undefined) return type.help
  const known = [...TYPES.keys()].join(', ')
  throw new Failure(
    Exit.unavailable,
    `--help-auth ${name}: no checker of this version; there are: ${known}`,
  )
}
