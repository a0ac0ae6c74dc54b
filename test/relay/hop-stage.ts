/** Hops to servers of this machine, work for them, and what came of it in short words. */
import { onTestFinished } from 'vitest'
import { silent } from '../../src/log/log.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { HopConnections, type HopConnectionsOptions } from '../../src/relay/hop-connections.js'
import type { Hop, HopResult } from '../../src/relay/hop.js'
import type { RelayOutcome, RelayWork } from '../../src/relay/relay.js'
import { addressOf } from '../helpers/mail-world.js'

export const MESSAGE = fromBuffer(Buffer.from('Subject: x\n\n.dot\n..\nend\n'))

export const hopTo = (port: number, more: Partial<Hop> = {}): Hop => ({
  protocol: 'smtp',
  name: 'mx.test',
  address: '127.0.0.1',
  port,
  implicitTls: false,
  tls: { kind: 'never' },
  login: null,
  ...more,
})

export function workFor(to: readonly string[], more: Partial<RelayWork> = {}): RelayWork {
  return {
    id: 'R1',
    from: addressOf('joe@far.example'),
    user: null,
    smtputf8: false,
    eightBit: false,
    requireTls: false,
    reports: null,
    recipients: to.map((text) => ({ to: addressOf(text), notice: null })),
    ...more,
  }
}

export function connectionsFor(more: Partial<HopConnectionsOptions> = {}): HopConnections {
  const connections = new HopConnections({ hostname: 'us.example', log: silent, ...more })
  onTestFinished(() => connections.close())
  return connections
}

/** Hands one message over by itself. @returns as `inShort` */
export async function handed(
  hop: Hop,
  work: RelayWork = workFor(['a@x.example']),
  message: Message = MESSAGE,
  more: Partial<HopConnectionsOptions> = {},
): Promise<string[]> {
  return inShort(await connectionsFor(more).hand(hop, work, message))
}

/** `unusable 451 4.4.2 words`, or for each recipient `delivered` or code, status and words. */
export function inShort(result: HopResult): string[] {
  if (result.kind === 'unusable') return [`unusable ${words(result.why)}`]
  return result.outcomes.map(({ refusal }) => (refusal === null ? 'delivered' : words(refusal)))
}

/** @throws Error when the server was unusable */
export function outcomesOf(result: HopResult): readonly RelayOutcome[] {
  if (result.kind === 'unusable') throw result.why
  return result.outcomes
}

const words = ({ code, status, message }: NonNullable<RelayOutcome['refusal']>): string =>
  `${code} ${status} ${message}`
