/** What a server can listen for, in the order in which it is told. */

export const PROTOCOLS = ['smtp', 'submission', 'submissions', 'lmtp', 'pop3', 'pop3s'] as const
export type Protocol = (typeof PROTOCOLS)[number]

/** Endpoints by protocol. */
export type Listen = Readonly<Record<Protocol, readonly string[]>>

/** TLS from the first byte (RFC 8314 section 3). */
export const IMPLICIT_TLS: ReadonlySet<Protocol> = new Set<Protocol>(['submissions', 'pop3s'])

export function byProtocol<T>(make: (protocol: Protocol) => T): Record<Protocol, T> {
  return Object.fromEntries(PROTOCOLS.map((each) => [each, make(each)])) as Record<Protocol, T>
}
