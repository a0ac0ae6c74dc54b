/** Postfix as another machine would run it: it takes mail on a port of its own and hands it on to a server under test. */
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers, freePort, startDaemon } from './daemon.js'
import { runProgram } from './programs.js'

/** What starts all others; `postfix start` would leave it behind in the background. */
const MASTER = '/usr/lib/postfix/sbin/master'

/** Why it cannot run here, `null` if it can. */
export function postfixObstacle(): string | null {
  if (!existsSync(MASTER)) return 'not installed: postfix'
  return process.getuid?.() === 0 ? null : 'Postfix wants to be started by root'
}

export interface Postfix {
  /** Where it takes mail for everybody. */
  readonly port: number
  /** What it has logged so far. */
  log(): Promise<string>
  stop(): Promise<void>
}

/**
 * Starts one with a queue of its own.
 * @param ways where mail for a recipient goes, in the words of transport(5)
 * @param trust the certificates that it believes; a server that has none of them gets no mail by TLS
 * @param settings lines of main.cf that come after those of all
 */
export async function startPostfix(
  ways: Readonly<Record<string, string>>,
  trust: string,
  settings = '',
): Promise<Postfix> {
  const folder = await mkdtemp(join(tmpdir(), 'mailtap-postfix-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const port = await freePort()
    // Its processes run as a user of their own and have to come through here.
    await chmod(folder, 0o755)
    await mkdir(join(folder, 'queue'))
    await writeFile(join(folder, 'main.cf'), `${mainFile(folder, ways, trust)}${settings}`)
    await writeFile(join(folder, 'master.cf'), masterFile(port))
    // Makes the directories of the queue.
    await runProgram('postfix', ['-c', folder, 'check'])
    // It ends its children when it is asked to end, if they are of its own process group.
    const master = ['setsid', MASTER, '-c', folder, '-d'] as const
    const daemon = await startDaemon(master[0], master.slice(1), () => answers(port), 'SIGTERM')
    const stop = () => daemon.stop().then(remove)
    return { port, log: () => readFile(join(folder, 'log'), 'utf8'), stop }
  } catch (error) {
    await remove()
    throw error
  }
}

function mainFile(folder: string, ways: Readonly<Record<string, string>>, trust: string): string {
  const table = Object.entries(ways).map(([to, way]) => `{ ${to} = ${way} }`)
  return `compatibility_level = 3.6
queue_directory = ${join(folder, 'queue')}
data_directory = ${join(folder, 'data')}
maillog_file = ${join(folder, 'log')}
maillog_file_prefixes = ${folder}
myhostname = relay.example
mydestination =
inet_interfaces = loopback-only
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
alias_maps =
local_recipient_maps =
transport_maps = inline:{ ${table.join(', ')} }
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_address_preference = ipv4
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = hostname
smtp_tls_CAfile = ${trust}
smtp_tls_loglevel = 1
maximal_backoff_time = 1s
minimal_backoff_time = 1s
queue_run_delay = 1s
`
}

/** The services that a relay needs; none in a chroot, which would need a copy of the system. */
const masterFile = (port: number): string => `
127.0.0.1:${port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
flush unix n - n 1000? 0 flush
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
`
