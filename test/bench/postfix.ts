/** Postfix of Debian beside mailtap: as it comes, delivering into Maildirs or relaying to another server. */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answers, freePort } from './dovecot.js'
import { Group } from './group.js'
import { until } from './process.js'

const MASTER = '/usr/lib/postfix/sbin/master'
const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
/** The user `mail` of Debian: virtual(8) delivers for nobody below 100 unless it is told to. */
const MAIL = 8

/** Why it can not be measured here; `null` if it can. */
export function postfixMissing(): string | null {
  if (!existsSync(MASTER)) return 'postfix is not installed'
  return process.getuid?.() === 0 ? null : 'only root can start Postfix with its own users'
}

export interface PostfixServer {
  readonly port: number
  /** Where its mailboxes are, by local part. */
  readonly mail: string
  readonly group: Group
}

/**
 * @param root a directory that all users may pass through
 * @param relayPort where all mail goes; `null` = into Maildirs of these users
 */
export async function startPostfix(
  root: string,
  users: readonly string[],
  relayPort: number | null,
): Promise<PostfixServer> {
  const own = join(root, 'postfix')
  const mail = join(own, 'mail')
  mkdirSync(mail, { recursive: true })
  chownSync(mail, MAIL, MAIL)
  mkdirSync(join(own, 'queue'))
  for (const each of [root, own]) chmodSync(each, 0o755)
  const port = await freePort()
  writeFileSync(join(own, 'users'), users.map((user) => `${user}@example.com ${user}/\n`).join(''))
  writeFileSync(join(own, 'main.cf'), mainFile(own, mail, relayPort))
  writeFileSync(join(own, 'master.cf'), masterFile(port))
  const env = { PATH: SYSTEM_PATH }
  run('postmap', ['-c', own, join(own, 'users')], env)
  run('postfix', ['-c', own, 'check'], env)
  const group = Group.open(`mailtap-bench-${process.pid}-postfix`)
  group.launch(() =>
    spawn('setsid', [MASTER, '-c', own, '-d'], { env, stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  await until(() => answers(port), 'postfix')
  return { port, mail, group }
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, stderr } = spawnSync(program, args, { env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program}: ${stderr}`)
}

/** Limits are raised for many connections of one machine, everything else is as it comes. */
function mainFile(own: string, mail: string, relayPort: number | null): string {
  const way =
    relayPort === null
      ? `virtual_mailbox_domains = example.com
virtual_mailbox_base = ${mail}
virtual_mailbox_maps = hash:${join(own, 'users')}
virtual_minimum_uid = 1
virtual_uid_maps = static:${MAIL}
virtual_gid_maps = static:${MAIL}`
      : `relayhost = [127.0.0.1]:${relayPort}`
  return `compatibility_level = 3.6
queue_directory = ${join(own, 'queue')}
data_directory = ${join(own, 'data')}
maillog_file = ${join(own, 'log')}
maillog_file_prefixes = ${own}
myhostname = bench.example.com
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
smtpd_tls_security_level = none
message_size_limit = 67108864
mailbox_size_limit = 0
virtual_mailbox_limit = 0
default_process_limit = 200
qmgr_message_active_limit = 20000
qmgr_message_recipient_limit = 20000
${way}
`
}

/** The services that are needed; none in a chroot, which would need a copy of the system. */
const masterFile = (port: number): string => `
127.0.0.1:${port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
`
