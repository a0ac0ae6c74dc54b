/**
 * Options of `create` whose part is not in this version. They are checked like
 * all others, and then refused: a setting that is silently ignored is a lie.
 */
import { authProblem, isAuthType } from './auth-types.js'
import type { Given } from './command.js'
import { Exit, Failure, notBuilt, usage } from './exit.js'

/** Option, what it is for, and the check of its value. */
const UNBUILT: readonly (readonly [option: string, what: string, check: Check])[] = [
  ['uid', 'changing the identity', checkIdentity],
  ['gid', 'changing the identity', checkIdentity],
]

type Check = (option: string, value: string) => void

/** @throws Failure: usage for a bad value, then unavailable for a good one */
export function refuseUnbuilt(given: Given): void {
  for (const [option, , check] of UNBUILT)
    for (const value of given.all(option)) check(option, value)
  for (const [option, what] of UNBUILT) {
    if (given.all(option).some((value) => value !== 'none')) throw notBuilt(`--${option} (${what})`)
  }
}

/** The checkers, in order. @throws Failure */
export function checkAuth(given: Given): string[] {
  const said = given.all('auth')
  for (const checker of said) {
    if (!/^[a-z][a-z0-9-]*(:.*)?$/s.test(checker))
      throw usage(`--auth ${checker}: write TYPE or TYPE:ARGUMENT`)
    const [type = ''] = checker.split(':', 1)
    if (!isAuthType(type)) {
      const what = `--auth ${type} is not in this version; see 'mailtap create --help-auth' for what is`
      throw new Failure(Exit.unavailable, what)
    }
    const problem = authProblem(checker)
    if (problem !== null) throw usage(`--auth ${type}: ${problem}`)
  }
  return said.length === 0 ? ['directory'] : [...new Set(said)]
}

function checkIdentity(option: string, value: string): void {
  if (/^(\d{1,9}|[a-z_][a-z0-9_-]{0,31})$/.test(value)) return
  throw usage(`--${option} ${value}: neither a number nor a name`)
}
