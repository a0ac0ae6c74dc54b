/** Who decides whether there is room for one more client: the contract of the limits on connections. */

/** What there would be too much of with one more client. */
export type Excess =
  /** Connections to one listener. */
  | 'listener'
  /** Connections to all of them. */
  | 'in-all'
  /** Open files of this process. */
  | 'descriptors'
  /** Connections from the client's address. */
  | 'address'
  /** Connections from the client's network. */
  | 'network'
  /** New connections from the client's address within a short time. */
  | 'address-rate'
  /** New connections from its network. */
  | 'network-rate'

export type Admission =
  /** Owes one `leave()` when the connection is over. */
  { readonly admitted: true; leave(): void } | { readonly admitted: false; readonly why: Excess }

export interface Doorkeeper {
  /** True while files must be kept for those who are served already. Asked before anything else is done. */
  short(): boolean
  /** @param address of the client, `''` on a UNIX socket. Never rejects: when in doubt the client is let in. */
  admit(address: string): Promise<Admission>
}
