/**
 * Why something was refused or held up: a closed list. What a config limits is called as its key
 * there. Whoever refuses says a name; one that is not in the list counts as `other`.
 */

/** Keys of `[limits]`. */
export const LIMITS = [
  'message_size',
  'connections',
  'connections_in_all',
  'connections_per_address',
  'connections_per_network',
  'connection_rate_per_address',
  'connection_rate_per_network',
  'login_failures_per_address',
  'login_failures_per_network',
  'login_failures_per_user',
] as const

/** Keys of `[smtp]`. */
export const SMTP_LIMITS = [
  'messages_per_connection',
  'recipients_per_message',
  'errors',
  'junk_commands',
  'messages_per_minute',
  'recipients_per_minute',
] as const

/** Limits that no config changes: what stands in the code, and what the machine has. */
export const FIXED_LIMITS = [
  'descriptors',
  'disk_space',
  'line_length',
  'login_failures_per_connection',
  'pop3_errors',
  'pop3_unknown_commands',
  'silence',
  'tarpit',
] as const

/** Of filters and of the settings in `[filter]`. */
export const FILTER_REASONS = [
  'dnsbl',
  'filter_failed',
  'greylist',
  'header_field_name',
  'header_fields',
  'header_required',
  'header_size',
  'loop',
  'milter',
  'rspamd',
] as const

/** What is wrong with an address, a message, a client, or with us. */
export const OTHER_REASONS = [
  'address_refused',
  'local_error',
  'mailbox_broken',
  'mailbox_disabled',
  'malformed_message',
  'misconfigured',
  'no_such_user',
  'not_your_address',
  'out_of_step',
  'quota',
  'relay_denied',
  'relay_missing',
  'tls_required',
  'other',
] as const

export const REASONS = [
  ...LIMITS,
  ...SMTP_LIMITS,
  ...FIXED_LIMITS,
  ...FILTER_REASONS,
  ...OTHER_REASONS,
] as const

export type Reason = (typeof REASONS)[number]

/** What a doorkeeper calls too much (net/doorkeeper.ts), and the limit that it is. */
export const EXCESSES: Readonly<Record<string, Reason>> = {
  listener: 'connections',
  'in-all': 'connections_in_all',
  address: 'connections_per_address',
  network: 'connections_per_network',
  'address-rate': 'connection_rate_per_address',
  'network-rate': 'connection_rate_per_network',
  descriptors: 'descriptors',
}
