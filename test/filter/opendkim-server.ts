/** An opendkim of our own on a free port, which verifies and does not sign. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers, freePort, startDaemon } from '../helpers/daemon.js'

export interface Opendkim {
  readonly endpoint: { readonly host: string; readonly port: number }
  stop(): Promise<void>
}

/** @param more lines of its config */
export async function startOpendkim(...more: readonly string[]): Promise<Opendkim> {
  const folder = await mkdtemp(join(tmpdir(), 'mailtap-opendkim-'))
  const conf = join(folder, 'conf')
  const port = await freePort()
  const settings = ['Mode v', `Socket inet:${port}@127.0.0.1`, 'Syslog no', 'AuthservID mx.example']
  await writeFile(conf, [...settings, ...more, ''].join('\n'))
  const daemon = await startDaemon('opendkim', ['-f', '-x', conf], () => answers(port))
  const stop = async (): Promise<void> => {
    await daemon.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { endpoint: { host: '127.0.0.1', port }, stop }
}
