/** What `[filter]` says, with defaults filled in: which filters look at mail, and how. */

export interface FilterConfig {
  readonly headers: {
    /** Largest header section, octets with LF line ends. */
    readonly maxSize: number
    /** Fields without which mail is refused. */
    readonly require: readonly string[]
  }
  readonly dnsbl: {
    readonly lists: readonly DnsListConfig[]
    readonly action: 'reject' | 'mark'
    /** Name servers, as `127.0.0.1:53`; none = those of the system. */
    readonly resolvers: readonly string[]
  }
  /** `null` = off. */
  readonly greylist: {
    /** Seconds that mail must wait. */
    readonly delay: number
    /** Mails that came again until their network is trusted. */
    readonly trustAfter: number
  } | null
  /** `null` = off. */
  readonly rspamd: (OutageConfig & { readonly url: string }) | null
  /** Asked in this order. */
  readonly milters: readonly (OutageConfig & { readonly endpoint: MilterEndpoint })[]
}

export interface DnsListConfig {
  /** The list's domain. */
  readonly zone: string
  /** Answers that count as listed; none = every one. */
  readonly codes: readonly string[]
}

export type MilterEndpoint =
  | { readonly path: string }
  | { readonly host: string; readonly port: number }

interface OutageConfig {
  /** For the check of one message. */
  readonly timeoutMs: number
  /** What becomes of mail that cannot be checked. */
  readonly onError: 'defer' | 'accept'
}

/** What a config without `[filter]` means: nothing is asked beyond this server. */
export const DEFAULT_FILTERS: FilterConfig = {
  headers: { maxSize: 2 * 1024 * 1024, require: [] },
  dnsbl: { lists: [], action: 'reject', resolvers: [] },
  greylist: null,
  rspamd: null,
  milters: [],
}
