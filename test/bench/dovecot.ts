/** dovecot-pop3d of Debian beside mailtap: as it comes, and tuned for many short sessions. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { Group } from './group.js'
import { until } from './process.js'
import type { Pop3Server } from './pop3-server.js'

/** The user `mail` of Debian, to whom Dovecot's mailboxes belong: it serves none of root's. */
const MAIL = 8
const PROGRAM = '/usr/sbin/dovecot'
const POP3 = '/usr/lib/dovecot/pop3'
const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

/** What the program's defaults are replaced with. */
export interface Tuning {
  readonly name: string
  readonly login: string
  readonly pop3: string
  readonly settings: string
}

export const AS_IT_COMES: Tuning = { name: 'Dovecot', login: '', pop3: '', settings: '' }

/** Logins share a process for each core, sessions take over the process of one that ended. */
export const TUNED: Tuning = {
  name: 'Dovecot, tuned',
  login: `service_count = 0\n  process_min_avail = ${availableParallelism()}\n  client_limit = 4000`,
  pop3: `service_count = 1000\n  process_min_avail = ${availableParallelism()}`,
  settings: 'pop3_no_flag_updates = yes\npop3_fast_size_lookups = yes',
}

/** Why it can not be measured here; `null` if it can. */
export function dovecotMissing(): string | null {
  if (!existsSync(PROGRAM) || !existsSync(POP3)) return 'dovecot-pop3d is not installed'
  return process.getuid?.() === 0 ? null : 'only root can start Dovecot with its own users'
}

/** @param root a directory that all users may pass through, with mailboxes of these users */
export async function startDovecot(
  root: string,
  users: readonly string[],
  tuning: Tuning,
): Promise<Pop3Server> {
  const own = join(root, tuning === TUNED ? 'dovecot-tuned' : 'dovecot')
  const mail = join(own, 'Maildir')
  mkdirSync(mail, { recursive: true })
  const port = await freePort()
  const accounts = users.map((user) => `${user}@example.com:{PLAIN}secret::\n`)
  writeFileSync(join(own, 'passwd'), accounts.join(''))
  const file = join(own, 'dovecot.conf')
  writeFileSync(file, config(own, mail, port, tuning))
  const group = Group.open(`mailtap-bench-${process.pid}-${tuning === TUNED ? 'tuned' : 'dovecot'}`)
  const env = { PATH: SYSTEM_PATH }
  group.launch(() =>
    spawn(PROGRAM, ['-F', '-c', file], { env, stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  await until(() => answers(port), tuning.name)
  return { name: tuning.name, port, mail, owner: MAIL, group, stop: () => group.stop() }
}

/** Limits are raised for 1,000 sessions of one machine, everything else is as the tuning says. */
function config(own: string, mail: string, port: number, tuning: Tuning): string {
  return `
base_dir = ${join(own, 'run')}
state_dir = ${join(own, 'state')}
log_path = ${join(own, 'log')}
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:${mail}/%n
mail_uid = ${MAIL}
mail_gid = ${MAIL}
first_valid_uid = 1
mail_fsync = always
mail_max_userip_connections = 10000
default_vsz_limit = 1G
${tuning.settings}
passdb {
  driver = passwd-file
  args = username_format=%u ${join(own, 'passwd')}
}
userdb {
  driver = static
  args = uid=${MAIL} gid=${MAIL} home=${mail}/%n allow_all_users=yes
}
service pop3-login {
  inet_listener pop3 {
    port = ${port}
  }
  inet_listener pop3s {
    port = 0
  }
  process_limit = 2000
  ${tuning.login}
}
service pop3 {
  process_limit = 4000
  ${tuning.pop3}
}
service anvil {
  client_limit = 10000
}
service auth {
  client_limit = 10000
}
service stats {
  client_limit = 10000
}
`
}

export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', () => socket.destroy())
    socket.once('data', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
