/** Dovecot's answer to "is that the password?", for servers that ask Dovecot for their logins. */
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answers, type Daemon, startDaemon } from './daemon.js'
import { locate } from './programs.js'

/** Why it cannot run here, `null` if it can. */
export function dovecotObstacle(): string | null {
  if (locate('dovecot') === null) return 'not installed: dovecot-core'
  return process.getuid?.() === 0 ? null : 'Dovecot wants to be started by root'
}

export interface DovecotAuth extends Daemon {
  /** UNIX socket of its protocol for logins. */
  readonly socket: string
}

/** @param folder is its own, and others may pass through */
export async function startDovecotAuth(
  folder: string,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<DovecotAuth> {
  await chmod(folder, 0o755)
  const socket = join(folder, 'login')
  const users = join(folder, 'users')
  await writeFile(users, `${user}:{PLAIN}${password}\n`)
  const config = join(folder, 'dovecot.conf')
  await writeFile(
    config,
    `base_dir = ${join(folder, 'run')}
state_dir = ${join(folder, 'state')}
log_path = ${join(folder, 'log')}
protocols =
ssl = no
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = ${users}
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${folder}
}
service auth {
  unix_listener ${socket} {
    mode = 0666
  }
}
`,
  )
  const works = () => answers(socket)
  const daemon = await startDaemon('dovecot', ['-F', '-c', config], works, 'SIGTERM')
  return { ...daemon, socket }
}
