/** `[limits]`: how large and how many. The form of the table, and what it means. */
import { Networks } from '../net/networks.js'
import { networks, size, table, wholeNumber, type z } from './forms.js'

export interface Limits {
  /** Largest message, octets on the wire (RFC 1870). */
  readonly messageSize: number
  /** Connections to one listener at once. */
  readonly connections: number
  readonly clients: ClientLimits
}

/** What clients may have; 0 for no such limit. An address is one of IPv4 or a /64 of IPv6, a network a /24 or a /48. */
export interface ClientLimits {
  /** Connections to all listeners at once. */
  readonly inAll: number
  /** Connections from one address at once. */
  readonly perAddress: number
  /** Connections from one network at once. */
  readonly perNetwork: number
  /** New connections from one address per minute. */
  readonly ratePerAddress: number
  /** New connections from one network per minute. */
  readonly ratePerNetwork: number
  /** Failed logins from one address per minute, before it has to wait. */
  readonly failuresPerAddress: number
  /** Failed logins from one network per minute, before it has to wait. */
  readonly failuresPerNetwork: number
  /** Failed logins of one user per minute, before logins from new addresses are slow. */
  readonly failuresPerUser: number
  /** Clients to whom only `inAll` applies, as to those of this machine. */
  readonly trusted: Networks
}

const CONNECTIONS = 10_000
const MAX_CONNECTIONS = 1_000_000
/** Two listeners can be full. */
const IN_ALL = 20_000
/** As Postfix has it: an office behind one address needs some, and nobody needs more. */
const PER_ADDRESS = 50
const PER_NETWORK = 200
/** Ten a second: an office whose mail programs all look each minute. */
const RATE_PER_ADDRESS = 600
const RATE_PER_NETWORK = 2_400
/** Somebody who tries all of his passwords gets in; a list of passwords takes years. */
const FAILURES_PER_ADDRESS = 10
const FAILURES_PER_NETWORK = 30
const FAILURES_PER_USER = 20

/** Of clients, if nothing is said. */
export const CLIENT_LIMITS: ClientLimits = {
  inAll: IN_ALL,
  perAddress: PER_ADDRESS,
  perNetwork: PER_NETWORK,
  ratePerAddress: RATE_PER_ADDRESS,
  ratePerNetwork: RATE_PER_NETWORK,
  failuresPerAddress: FAILURES_PER_ADDRESS,
  failuresPerNetwork: FAILURES_PER_NETWORK,
  failuresPerUser: FAILURES_PER_USER,
  trusted: new Networks([]),
}

const orNone = (otherwise: number, what: string) =>
  wholeNumber(0, MAX_CONNECTIONS).default(otherwise).describe(`${what}; 0: no limit`)

export const limits = table({
  message_size: size().describe('largest message'),
  connections: wholeNumber(1, MAX_CONNECTIONS).default(CONNECTIONS).describe('per listener'),
  connections_in_all: orNone(IN_ALL, 'to all listeners at once'),
  connections_per_address: orNone(PER_ADDRESS, 'from an IPv4 address or an IPv6 /64 at once'),
  connections_per_network: orNone(PER_NETWORK, 'from an IPv4 /24 or an IPv6 /48 at once'),
  connection_rate_per_address: orNone(RATE_PER_ADDRESS, 'new ones per minute from an address'),
  connection_rate_per_network: orNone(RATE_PER_NETWORK, 'new ones per minute from a network'),
  login_failures_per_address: orNone(FAILURES_PER_ADDRESS, 'per minute; then it has to wait'),
  login_failures_per_network: orNone(FAILURES_PER_NETWORK, 'per minute; then it has to wait'),
  login_failures_per_user: orNone(
    FAILURES_PER_USER,
    'per minute; then logins from new addresses are slow',
  ),
  trusted: networks().describe('networks without limits per address and network'),
})

/** @param settings in the words of the file */
export function limitsOf(settings: z.infer<typeof limits>): Limits {
  return {
    messageSize: settings.message_size,
    connections: settings.connections,
    clients: {
      inAll: settings.connections_in_all,
      perAddress: settings.connections_per_address,
      perNetwork: settings.connections_per_network,
      ratePerAddress: settings.connection_rate_per_address,
      ratePerNetwork: settings.connection_rate_per_network,
      failuresPerAddress: settings.login_failures_per_address,
      failuresPerNetwork: settings.login_failures_per_network,
      failuresPerUser: settings.login_failures_per_user,
      trusted: new Networks(settings.trusted),
    },
  }
}

/** The settings back in the words of the file. */
export function limitsAsWritten({ messageSize, connections, clients }: Limits) {
  return {
    message_size: messageSize,
    connections,
    connections_in_all: clients.inAll,
    connections_per_address: clients.perAddress,
    connections_per_network: clients.perNetwork,
    connection_rate_per_address: clients.ratePerAddress,
    connection_rate_per_network: clients.ratePerNetwork,
    login_failures_per_address: clients.failuresPerAddress,
    login_failures_per_network: clients.failuresPerNetwork,
    login_failures_per_user: clients.failuresPerUser,
    trusted: clients.trusted.texts,
  }
}
