/** The name servers that this machine asks: resolv.conf(5). */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { DnsServer } from './dns-exchange.js'

const PORT = 53
/** resolv.conf(5) has as many. */
const MAX_SERVERS = 3
const LOCAL: DnsServer = { address: '127.0.0.1', port: PORT }

/**
 * Read anew each time: the network may have changed.
 * @returns one at least: without the file, or with none in it, the server of this machine
 * @throws the system's errors
 */
export async function systemServers(path = '/etc/resolv.conf'): Promise<readonly DnsServer[]> {
  const servers = serversIn(await textOf(path))
  return servers.length === 0 ? [LOCAL] : servers
}

function serversIn(text: string): DnsServer[] {
  return text
    .split('\n')
    .flatMap((line) => /^nameserver[ \t]+(\S{1,100})/.exec(line)?.[1] ?? [])
    .filter((address) => isIP(address) !== 0)
    .slice(0, MAX_SERVERS)
    .map((address) => ({ address, port: PORT }))
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
