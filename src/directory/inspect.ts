/** Looks through all that a domain's files say, for `mailtap check`. */
import { formatAddress, type Address } from '../mail/address.js'
import { Refusal } from '../mail/refusal.js'
import { reason } from '../log/log.js'
import type { Aliases } from './aliases.js'
import type { FilesDirectory } from './files.js'
import type { Users } from './users.js'

/** Every problem of a domain, each in one line that says where and what. Changes nothing. */
export async function* problems(directory: FilesDirectory, domain: string): AsyncGenerator<string> {
  yield* aliasProblems(directory, domain)
  try {
    const users = directory.usersOf(domain)
    for await (const local of users.names()) yield* userProblems(users, local)
    yield* postmasterProblems(users, { local: 'postmaster', domain })
  } catch (error) {
    yield reason(error)
  }
}

async function* aliasProblems(directory: FilesDirectory, domain: string): AsyncGenerator<string> {
  let aliases: Aliases
  try {
    aliases = await directory.aliasesOf(domain)
  } catch (error) {
    yield reason(error)
    return
  }
  for (const local of aliases.keys()) {
    try {
      await directory.resolve({ local, domain })
    } catch (error) {
      const cause = error instanceof Refusal ? error.cause : undefined
      yield cause === undefined
        ? `${formatAddress({ local, domain })}: ${reason(error)}`
        : reason(cause)
    }
  }
}

async function* userProblems(users: Users, local: string): AsyncGenerator<string> {
  try {
    const user = await users.readPrivate(local)
    for (const setting of user?.unsupported ?? []) {
      yield `${users.path(local)}: ${setting}: not supported yet, has no effect`
    }
  } catch (error) {
    yield reason(error)
  }
}

/** Mail to postmaster is always taken (RFC 5321 section 4.5.1); somebody should be able to read it. */
async function* postmasterProblems(users: Users, postmaster: Address): AsyncGenerator<string> {
  const user = await users.read(postmaster.local).catch(() => undefined)
  if (user === null || user?.password === null || user?.disabled) {
    yield `nobody can log in to the mailbox ${formatAddress(postmaster)}`
  }
}
