/** The checkers that `--auth` can name, and what `--help-auth` says of them. */
import { checkerTypes } from '../src/checkers/checkers.js'
import { Exit, Failure } from './exit.js'

export function isAuthType(name: string): boolean {
  return checkerTypes.has(name)
}

/**
 * The lines for `--help-auth`, or those for one type.
 * @throws Failure when there is no such type
 */
export function authHelp(name: string | null): readonly string[] {
  if (name === null) {
    const types = [...checkerTypes].map(([type, { help }]) => `  ${type.padEnd(12)}${help}`)
    return ['who checks passwords (--auth TYPE[:ARGUMENT]), asked in the order given:', ...types]
  }
  const type = checkerTypes.get(name)
  if (type !== undefined) return [`${name}: ${type.help}`, `example: --auth ${type.example}`]
  const known = [...checkerTypes.keys()].join(', ')
  throw new Failure(
    Exit.unavailable,
    `--help-auth ${name}: no checker of this version; there is: ${known}`,
  )
}
