/** What `mailtap check` tells of the way to other domains, without asking anybody: its files, and loops. */
import { isIP } from 'node:net'
import type { Config } from '../src/config/config.js'
import { PROTOCOLS } from '../src/config/protocols.js'
import type { RouteConfig } from '../src/config/relay-config.js'
import { formatSmarthost, type Smarthost } from '../src/mail/smarthost.js'
import { parseEndpoint, type TcpEndpoint } from '../src/net/endpoint.js'
import { leadsHere } from '../src/net/ourselves.js'
import { readAuthorities, readSecret } from '../src/relay/route-files.js'
import type { Findings } from './findings.js'

/** Names that need no DNS. */
const LOOPBACK = '127.0.0.1'
/** Mail is taken there. */
const MAIL_PROTOCOLS = PROTOCOLS.filter((protocol) => !protocol.startsWith('pop3'))

export async function checkRelay(config: Config, findings: Findings): Promise<void> {
  for (const route of config.relay.routes) {
    const { secret, ca } = route
    if (secret !== null)
      await findings.attempt(secret.file, async () => void (await readSecret(secret.file)))
    if (ca !== null) await findings.attempt(ca, async () => void (await readAuthorities(ca)))
    checkLoop(config, route, findings)
  }
}

function checkLoop(config: Config, { name, via }: RouteConfig, findings: Findings): void {
  if (via === 'mx') return
  const listening = takenAt(config)
  for (const smarthost of via.filter((each) => isThisServer(config, each, listening))) {
    findings.warning(
      `[relay] ${formatSmarthost(smarthost)} (route ${name}) is this server itself: no mail goes there, it would come back; name another server`,
    )
  }
}

function isThisServer(
  { hostname }: Config,
  { host, port }: Smarthost,
  listening: readonly TcpEndpoint[],
): boolean {
  if (host === hostname) return listening.some((endpoint) => endpoint.port === port)
  const address = host === 'localhost' ? LOOPBACK : host
  return isIP(address) !== 0 && leadsHere(listening, address, port)
}

/** Where mail is taken, by TCP. */
export function takenAt({ listen }: Config): TcpEndpoint[] {
  return MAIL_PROTOCOLS.flatMap((protocol) => listen[protocol])
    .map(parseEndpoint)
    .filter((endpoint) => endpoint.kind === 'tcp')
}
