/**
 * Exim as a mail server that hands a mail over at once. Debian does not let it in beside Postfix, so
 * it is unpacked and not installed.
 */
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answers, type Daemon, freePort, startDaemon } from './daemon.js'
import { UNPACKED } from './jail.js'
import { type Ended, runProgram } from './programs.js'

const EXIM = join(UNPACKED, 'exim4-daemon-light', 'usr', 'sbin', 'exim4')
/** It keeps its queue as this one: it will not do that as root. */
const USER = 65_534

/** Why it cannot run here, `null` if it can. */
export function eximObstacle(): string | null {
  if (!existsSync(EXIM)) return 'not unpacked: exim4-daemon-light'
  return process.getuid?.() === 0 ? null : 'Exim wants to be started by root'
}

export interface Handover {
  readonly from: string
  readonly to: string
  /** With LF line ends. */
  readonly message: string
  /** On `localhost`. */
  readonly port: number
  /** The certificates that it believes; without TLS it gives no mail away. */
  readonly trust: string
}

/**
 * Runs it until the mail is handed over, or was not.
 * @returns its end; what it logs is its standard error
 */
export async function handOverByExim(folder: string, job: Handover): Promise<Ended> {
  await chmod(folder, 0o755)
  const spool = join(folder, 'spool')
  await mkdir(spool)
  await chown(spool, USER, USER)
  const config = join(folder, 'exim.conf')
  await writeFile(config, configFile(spool, job))
  const how = ['-C', config, '-odf', '-oi', '-oee', '-f', job.from, job.to]
  return runProgram(EXIM, how, { input: job.message, home: folder })
}

export interface EximServer extends Daemon {
  /** On 127.0.0.1. */
  readonly port: number
  /** Where all mail goes, in the format of mbox. */
  readonly mailbox: string
}

/**
 * Starts one that takes mail from whoever logs in over TLS.
 * @param pem its key and its certificate
 * @param login of the mechanism PLAIN
 */
export async function startEximServer(
  folder: string,
  pem: string,
  login: { readonly user: string; readonly password: string },
): Promise<EximServer> {
  await chmod(folder, 0o755)
  const spool = join(folder, 'spool')
  await mkdir(spool)
  await chown(spool, USER, USER)
  const certificate = join(spool, 'tls.pem')
  await writeFile(certificate, pem, { mode: 0o600 })
  await chown(certificate, USER, USER)
  const port = await freePort()
  const config = join(folder, 'exim.conf')
  await writeFile(config, serverFile(spool, port, certificate, login))
  const works = () => answers(port)
  const daemon = await startDaemon(EXIM, ['-C', config, '-bdf', '-v'], works, 'SIGTERM')
  return { ...daemon, port, mailbox: join(spool, 'mailbox') }
}

const serverFile = (
  spool: string,
  port: number,
  certificate: string,
  { user, password }: { readonly user: string; readonly password: string },
): string => `${common(spool)}
host_lookup =
daemon_smtp_ports = ${port}
local_interfaces = 127.0.0.1
tls_advertise_hosts = *
tls_certificate = ${certificate}
tls_privatekey = ${certificate}
dsn_advertise_hosts = *
acl_smtp_rcpt = members
begin acl
members:
  accept authenticated = *
  deny message = log in first
begin routers
all:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  file = ${spool}/mailbox
  user = ${USER}
  group = ${USER}
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{${user}}}{eq{$auth3}{${password}}}}}
  server_set_id = $auth2
  server_advertise_condition = \${if def:tls_in_cipher}
`

const common = (spool: string): string => `
exim_path = ${EXIM}
primary_hostname = exim.example
exim_user = ${USER}
exim_group = ${USER}
spool_directory = ${spool}
log_file_path = ${spool}/%slog
keep_environment =
domainlist local =
hosts_connection_nolog = *
dns_dnssec_ok = 0`

const configFile = (spool: string, { port, trust }: Handover): string => `${common(spool)}
begin routers
all:
  driver = manualroute
  route_list = * localhost::${port} byname
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  hosts_require_tls = *
  tls_verify_certificates = ${trust}
  tls_verify_hosts = *
  tls_verify_cert_hostnames = *
begin retry
* * F,1m,1s
`
