/** Finds out from a trusted proxy for whom it speaks, before anything else is read or said. */
import type { Peer } from '../cred/credentials.js'
import { parseProxyHeader, type ProxyHeader } from './proxy-protocol.js'
import type { TlsFacts } from './session.js'
import { isThisMachine } from './this-machine.js'
import type { Wire } from './wire.js'

/** A proxy sends its header at once; whoever takes longer is none. */
const PATIENCE_MS = 10_000

/** Who the client is, and what is known of its TLS, if that ended at the proxy. */
export interface Proxied {
  readonly peer: Peer
  readonly tls: TlsFacts | null
}

/**
 * Reads the header; what came behind it is left on the wire.
 * @param proxy the real peer
 * @returns a text that says what is wrong, empty if nothing came at all, as when a proxy looks
 * whether we are alive
 */
export async function readProxied(wire: Wire, proxy: Peer): Promise<Proxied | string> {
  const deadline = performance.now() + PATIENCE_MS
  let bytes = Buffer.alloc(0)
  while (await wire.input(deadline)) {
    bytes = Buffer.concat([bytes, wire.take()])
    const step = parseProxyHeader(bytes)
    if (step.kind === 'malformed') return step.why
    if (step.kind === 'more') continue
    wire.giveBack(bytes.subarray(step.header.length))
    return { peer: peerOf(step.header, proxy), tls: tlsOf(step.header, proxy) }
  }
  return bytes.length === 0 && !wire.late ? '' : 'no whole PROXY header in time'
}

/** No host has this address (RFC 1122 section 3.2.1.3): nothing is granted to it as a neighbour. */
const NOBODY = '0.0.0.0'

/**
 * A client on the proxy's own machine is as near to us as the proxy is, and no nearer: what is
 * granted to clients of this machine is not for those of another one. Of an unknown client it is
 * not even known that it is on the proxy's machine: it may be anybody whose address was lost.
 */
function peerOf({ client }: ProxyHeader, proxy: Peer): Peer {
  if (client === null) return proxy
  if (client === 'unknown') {
    return isThisMachine(proxy.address) ? { ...proxy, address: NOBODY } : proxy
  }
  const elsewhere = isThisMachine(client.address) && !isThisMachine(proxy.address)
  return elsewhere ? proxy : { ...proxy, address: client.address, port: client.port }
}

/**
 * TLS that ended at a proxy protects the client's way to us only if the rest of that way does not
 * leave this machine.
 */
function tlsOf({ tls }: ProxyHeader, proxy: Peer): TlsFacts | null {
  return isThisMachine(proxy.address) ? tls : null
}
