/** A listener with the echo protocol on a free port, for tests of the network under the protocols. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach } from 'vitest'
import { silent } from '../../src/log/log.js'
import { parseEndpoint } from '../../src/net/endpoint.js'
import type { Doorkeeper } from '../../src/net/doorkeeper.js'
import { Listener, type ListenerOptions } from '../../src/net/listener.js'
import { TlsContexts } from '../../src/net/tls.js'
import { Client } from './client.js'
import { EchoSession } from './echo-session.js'

const running: Listener[] = []
let tls: TlsContexts | null = null

/** Made once; from then on every listener has it. */
export async function certificate(): Promise<TlsContexts> {
  return (tls ??= await TlsContexts.open(
    { first: null, others: [] },
    mkdtempSync(join(tmpdir(), 'listener-')),
    'localhost',
  ))
}

/** There is room for everybody. */
export const OPEN_DOORS: Doorkeeper = {
  short: () => false,
  admit: async () => ({ admitted: true, leave: () => {} }),
}

export interface Stage {
  readonly listener: Listener
  readonly sessions: EchoSession[]
  client(): Promise<Client>
}

/** Ends with the test. */
export async function stage(
  more: Partial<ListenerOptions> = {},
  patience = 60_000,
): Promise<Stage> {
  const sessions: EchoSession[] = []
  const session = () => {
    const made = Object.assign(new EchoSession(), { patience })
    sessions.push(made)
    return made
  }
  const listener = new Listener({
    endpoint: parseEndpoint('127.0.0.1:0'),
    protocol: 'echo',
    session,
    implicitTls: false,
    certificates: () => tls?.current ?? null,
    doorkeeper: OPEN_DOORS,
    maxConnections: () => 10,
    log: silent,
    ...more,
  })
  await listener.start()
  running.push(listener)
  return { listener, sessions, client: () => Client.to(listener.port!) }
}

export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error('it did not come to that')
    await sleep(10)
  }
}

afterEach(async () => {
  for (const listener of running.splice(0)) await listener.stop()
})
