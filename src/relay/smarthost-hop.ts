/** A smarthost of a route as the server to connect to: what is asked of TLS, and who we are there. */
import { isLoopback, type Smarthost } from '../mail/smarthost.js'
import type { Hop, HopLogin, TlsDemand } from './hop.js'
import type { RouteFiles } from './route-files.js'
import type { RouteSettings } from './routes.js'

/**
 * Files are looked at for each mail: tokens are renewed, and a new password works without a reload.
 * @param requireTls RFC 8689: whatever the settings say, nobody but that server may read it
 * @throws FileUnusable
 */
export async function hopOf(
  route: RouteSettings,
  smarthost: Smarthost,
  requireTls: boolean,
  files: RouteFiles,
): Promise<Hop> {
  const { scheme, host, port } = smarthost
  return {
    protocol: scheme === 'lmtp' ? 'lmtp' : 'smtp',
    name: host,
    address: null,
    port,
    implicitTls: scheme === 'smtps',
    tls: await tlsDemand(route, smarthost, requireTls, files),
    login: await loginOf(route, smarthost, files),
  }
}

async function loginOf(
  { secret }: RouteSettings,
  { user }: Smarthost,
  files: RouteFiles,
): Promise<HopLogin | null> {
  if (user === null || secret === null) return null
  const text = await files.secret(secret.file)
  return secret.kind === 'token'
    ? { kind: 'token', user, token: text }
    : { kind: 'password', user, password: text }
}

/** RFC 8314 section 5 asks for a certificate that is right wherever a password goes. */
async function tlsDemand(
  route: RouteSettings,
  smarthost: Smarthost,
  requireTls: boolean,
  files: RouteFiles,
): Promise<TlsDemand> {
  const kind = route.tls === 'auto' ? usualDemand(smarthost) : route.tls
  if (kind === 'verify' || (requireTls && !isLoopback(smarthost))) {
    const ca = route.ca === null ? null : await files.authorities(route.ca)
    return { kind: 'verify', names: [smarthost.host], ca }
  }
  // Where TLS comes first there is no "in clear".
  return { kind: smarthost.scheme === 'smtps' ? 'encrypt' : kind }
}

function usualDemand(smarthost: Smarthost): 'may' | 'verify' | 'encrypt' {
  const { scheme, user } = smarthost
  if (isLoopback(smarthost)) return 'may'
  return user !== null || scheme === 'smtps' ? 'verify' : 'may'
}
