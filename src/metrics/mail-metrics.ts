/** The metrics of a mail server by name: what is counted at the spot, and what its events count. */
import { countingLog } from './counting-log.js'
import { eventCounts } from './event-counts.js'
import type { Counter, Gauge, Histogram } from './metrics.js'
import type { Registry } from './registry.js'

/** Kinds of ports, as in `[listen]`. */
export const PORTS = ['smtp', 'submission', 'submissions', 'lmtp', 'pop3', 'pop3s'] as const
export type Port = (typeof PORTS)[number]

/** Seconds: a login takes as long as a hash, a delivery as long as a disk; what is throttled takes longer. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** What one kind of port counts as it works. */
export interface PortMetrics {
  /** Clients that came, those included that were turned away. */
  readonly connections: Counter
  readonly sessions: Gauge
  /** From a password to an answer, the wait of a throttle included. */
  readonly loginSeconds: Histogram
  /** From the end of a message to the answer: filters, disk, and places of ours. */
  readonly acceptSeconds: Histogram
}

/** A listener, and how many clients it has now. */
interface Serving {
  readonly protocol: Port
  readonly sessions: number
}

export class MailMetrics {
  readonly registry: Registry
  readonly #ports: ReadonlyMap<Port, PortMetrics>
  readonly #counts: ReturnType<typeof eventCounts>

  /** @throws RangeError when the registry has metrics of these names already */
  constructor(registry: Registry) {
    this.registry = registry
    this.#ports = portsOf(registry)
    this.#counts = eventCounts(registry)
  }

  port(port: Port): PortMetrics {
    return this.#ports.get(port)!
  }

  /** @param listeners looked at before each snapshot. @returns what ends that */
  watchSessions(listeners: () => Iterable<Serving>): () => void {
    return this.registry.collect(() => {
      const sums = new Map(PORTS.map((port) => [port, 0]))
      for (const { protocol, sessions } of listeners()) {
        sums.set(protocol, sums.get(protocol)! + sessions)
      }
      for (const [port, sum] of sums) this.port(port).sessions.set(sum)
    })
  }

  /** The same log, and what is told there is counted. */
  counting(log: Parameters<typeof countingLog>[0]): ReturnType<typeof countingLog> {
    return countingLog(log, this.#counts.events, this.#counts.levels)
  }
}

function portsOf(registry: Registry): ReadonlyMap<Port, PortMetrics> {
  const labels = { protocol: PORTS }
  const connections = registry.counter({
    name: 'mailtap_connections_total',
    help: 'Clients that connected, those included that were turned away.',
    labels,
  })
  const sessions = registry.gauge({
    name: 'mailtap_sessions',
    help: 'Clients that are connected now.',
    labels,
    perWorker: true,
  })
  const loginSeconds = registry.histogram({
    name: 'mailtap_login_seconds',
    help: 'How long logins took, failed ones included.',
    labels,
    bounds: SECONDS,
  })
  const acceptSeconds = registry.histogram({
    name: 'mailtap_accept_seconds',
    help: 'From the end of a message to the answer: filters, disk, and delivery to places of ours.',
    labels: { protocol: ['smtp', 'submission', 'submissions', 'lmtp'] },
    bounds: SECONDS,
  })
  const portOf = (protocol: Port): PortMetrics => {
    const accepting =
      protocol === 'pop3' || protocol === 'pop3s' ? NOWHERE : acceptSeconds.of({ protocol })
    return {
      connections: connections.of({ protocol }),
      sessions: sessions.of({ protocol }),
      loginSeconds: loginSeconds.of({ protocol }),
      acceptSeconds: accepting,
    }
  }
  return new Map(PORTS.map((protocol) => [protocol, portOf(protocol)]))
}

/** POP3 takes no mail. */
const NOWHERE: Histogram = { observe: () => {} }
