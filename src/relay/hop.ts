/** One server that mail may be handed to, and what is asked of the connection to it. */
import type { Refusal } from '../mail/refusal.js'
import type { RelayOutcome } from './relay.js'

/** How we prove who we are (RFC 4954). */
export type HopLogin =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly user: string; readonly token: string }

/** A TLSA record that the certificate must match (RFC 6698 section 2.1, RFC 7672). */
export interface TlsaRecord {
  readonly usage: number
  readonly selector: number
  readonly matching: number
  readonly data: Buffer
}

/**
 * What is asked of TLS: `never`; `may` = if the server offers it, whoever it is (and in clear if
 * its TLS fails); `encrypt` = always, whoever it is; `verify` = always, with a certificate for
 * one of the names from an authority that is trusted (the system's, and those of `ca` in PEM);
 * `dane` = always, matching one of the records.
 */
export type TlsDemand =
  | { readonly kind: 'never' | 'may' | 'encrypt' }
  | { readonly kind: 'verify'; readonly names: readonly string[]; readonly ca: string | null }
  | {
      readonly kind: 'dane'
      readonly names: readonly string[]
      readonly records: readonly TlsaRecord[]
    }

export interface Hop {
  readonly protocol: 'smtp' | 'lmtp'
  /** Its name, for logs, SNI and reports; an address literal without brackets if it has none. */
  readonly name: string
  /** IP address to connect to; `null` = `name` is looked up by the system. */
  readonly address: string | null
  readonly port: number
  /** TLS from the first byte (RFC 8314 section 3.3). */
  readonly implicitTls: boolean
  readonly tls: TlsDemand
  /** `null` = no login. Never sent in clear except to this machine. */
  readonly login: HopLogin | null
}

/** What came of handing a message to one server. */
export type HopResult =
  /** It spoke about the message or its recipients: one outcome each. */
  | { readonly kind: 'answered'; readonly outcomes: readonly RelayOutcome[] }
  /**
   * It is of no use now (cannot be reached, no TLS as demanded, login refused, 421, 4xx to
   * greeting or EHLO): nothing was handed over, another server may be tried.
   */
  | { readonly kind: 'unusable'; readonly why: Refusal }
