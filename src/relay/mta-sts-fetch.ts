/** Fetches the file with a domain's policy over HTTPS: RFC 8461 section 3.3. */
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { parseStsPolicy } from './mta-sts-policy.js'

/** Milliseconds for all of it: mail waits for it. */
const PATIENCE_MS = 20_000
/** Octets; RFC 8461 section 3.3 proposes it. */
const MAX_POLICY = 65_536
/** Addresses that are tried. */
const MAX_ADDRESSES = 4
const PATH = '/.well-known/mta-sts.txt'
const PORT = 443
const OK = 200
const PLAIN = /^text\/plain(?:[ \t]*;|[ \t]*$)/i

interface StsFetchSettings {
  /** Addresses of a host name, best first. @throws when the DNS cannot tell */
  readonly addresses: (name: string) => Promise<readonly string[]>
  /** PEM of the authorities that are trusted; absent = those that Node trusts. */
  readonly ca?: string
  readonly port?: number
}

/**
 * @param domain A-labels
 * @returns the text of the policy, which can be read
 * @throws Error when it cannot be fetched from a server that proves to be `mta-sts.<domain>`, or is none
 */
export async function fetchStsPolicy(domain: string, settings: StsFetchSettings): Promise<string> {
  const name = `mta-sts.${domain}`
  const signal = AbortSignal.timeout(PATIENCE_MS)
  let fault: unknown = new Error(`${name} has no address`)
  for (const address of (await settings.addresses(name)).slice(0, MAX_ADDRESSES)) {
    try {
      const text = await fetchFrom(address, name, settings, signal)
      if (parseStsPolicy(text) !== null) return text
      throw new Error('the file is no policy')
    } catch (error) {
      fault = error
      if (signal.aborted) break
    }
  }
  throw fault
}

/** No redirect is followed: only 200 is an answer. The name is checked before anything is sent. */
async function fetchFrom(
  address: string,
  name: string,
  { ca, port = PORT }: StsFetchSettings,
  signal: AbortSignal,
): Promise<string> {
  const sent = request({
    host: address,
    port,
    path: PATH,
    servername: name,
    rejectUnauthorized: true,
    headers: { Host: name },
    ...(ca === undefined ? {} : { ca }),
    signal,
    // One connection for one file: none is kept.
    agent: false,
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.on('error', reject)
  })
  sent.end()
  try {
    return await textOf(await answered)
  } finally {
    sent.destroy()
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  if (answer.statusCode !== OK) throw new Error(`HTTP status ${answer.statusCode}`)
  if (!PLAIN.test(answer.headers['content-type'] ?? '')) throw new Error('not text/plain')
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > MAX_POLICY) throw new Error(`larger than ${MAX_POLICY} octets`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('latin1')
}
