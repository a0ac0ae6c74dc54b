/** What `mailtap check` tells of users who forward: each address is followed to its end. */
import { errorCode } from '../maildir/maildir.js'
import type { Config } from '../src/config/config.js'
import type { UserFile } from '../src/directory/user-file.js'
import { Users } from '../src/directory/users.js'
import { addressProblems, waysOf } from './check-aliases.js'
import type { Findings } from './findings.js'

export async function checkForwards(
  config: Config,
  domain: string,
  findings: Findings,
): Promise<void> {
  const users = new Users(config.domains[domain]!.path)
  const ways = waysOf(config)
  try {
    for await (const local of users.names()) {
      const user = await readable(users, local)
      if (user === null || user.forward.length === 0 || user.disabled) continue
      const where = `${users.path(local)}: forward`
      const found = await addressProblems({ local, domain }, where, ways)
      for (const line of found) findings.error(line)
    }
  } catch (error) {
    // That there is no database was told of before.
    if (errorCode(error) !== 'ENOENT') throw error
  }
}

/** A file that can not be read is told of where users are looked at. */
async function readable(users: Users, local: string): Promise<UserFile | null> {
  try {
    return await users.read(local)
  } catch {
    return null
  }
}
