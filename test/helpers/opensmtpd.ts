/**
 * OpenSMTPD as a server that hands on what it takes. Debian does not let it in beside Postfix, so it
 * is unpacked and not installed; it looks for its users in /etc and runs in a root of its own.
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answers, type Daemon, freePort, startDaemon } from './daemon.js'
import { Jail, UNPACKED } from './jail.js'

const PACKAGE = join(UNPACKED, 'opensmtpd')
const PROGRAM = 'usr/sbin/smtpd'
const USERS = ['opensmtpd', 'opensmtpq']

/** Why it cannot run here, `null` if it can. */
export function openSmtpdObstacle(): string | null {
  if (!existsSync(PACKAGE)) return 'not unpacked: opensmtpd'
  return process.getuid?.() === 0 ? null : 'OpenSMTPD wants to be started by root'
}

export interface OpenSmtpd extends Daemon {
  /** On 127.0.0.1. */
  readonly port: number
}

/**
 * Starts one that takes mail from this machine. In clear, and so without AUTH, which it has over TLS
 * only: built with OpenSSL 3, as Debian 12 has it, it cannot sign with its own key ("missing private
 * key"), and every handshake with it fails.
 * @param to the port of 127.0.0.1 that all mail goes to
 */
export async function startOpenSmtpd(folder: string, to: number): Promise<OpenSmtpd> {
  const root = join(folder, 'root')
  const jail = await Jail.build(root, PACKAGE, 'nobody logs in', USERS)
  await jail.complete(PROGRAM)
  for (const path of ['var/lib/opensmtpd/empty', 'var/spool', 'var/run'])
    await mkdir(join(root, path), { recursive: true })
  const port = await freePort()
  const config = `listen on 127.0.0.1 port ${port} hostname open.example
action "on" relay host "smtp://127.0.0.1:${to}"
match from any for any action "on"
`
  await writeFile(join(root, 'etc/smtpd.conf'), config, { mode: 0o600 })
  const args = [root, `/${PROGRAM}`, '-d', '-f', '/etc/smtpd.conf']
  const daemon = await startDaemon('chroot', args, () => answers(port), 'SIGTERM')
  return { ...daemon, port }
}
