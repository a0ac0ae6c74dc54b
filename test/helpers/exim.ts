/**
 * Exim as a mail server that hands a mail over at once. Debian does not let it in beside Postfix, so
 * it is unpacked and not installed.
 */
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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

const configFile = (spool: string, { port, trust }: Handover): string => `
exim_path = ${EXIM}
primary_hostname = exim.example
exim_user = ${USER}
exim_group = ${USER}
spool_directory = ${spool}
log_file_path = ${spool}/%slog
keep_environment =
domainlist local =
hosts_connection_nolog = *
dns_dnssec_ok = 0
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
