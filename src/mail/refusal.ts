/**
 * Every "no" of the mail path has a name here, with the reply that a client
 * gets: code (RFC 5321 section 4.2), enhanced status (RFC 3463), and a text
 * that tells a person what to do. Whatever else is thrown on the mail path is
 * a fault of ours and means "later".
 */

interface RefusalOptions extends ErrorOptions {
  /** One of a list (metrics/reasons.ts); `other` if nothing is said. */
  readonly why?: string
}

/** An expected "no". */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** Reply code, 4xx or 5xx. */
  readonly code: number
  /** Enhanced status code, such as `5.1.1`. */
  readonly status: string
  /** What is wrong, in a word, for logs and metrics. */
  readonly why: string

  /** @param text printable ASCII */
  constructor(code: number, status: string, text: string, options?: RefusalOptions) {
    super(text, options)
    this.code = code
    this.status = status
    this.why = options?.why ?? 'other'
  }

  get temporary(): boolean {
    return this.code < 500
  }
}

export const noSuchUser = (): Refusal =>
  new Refusal(550, '5.1.1', 'no such user here; check the spelling of the address', {
    why: 'no_such_user',
  })

export const mailboxDisabled = (): Refusal =>
  new Refusal(550, '5.2.1', 'this mailbox is disabled and takes no mail', {
    why: 'mailbox_disabled',
  })

/** The administrator's own words, about an address that is there to refuse mail. @param text printable ASCII */
export const addressRefused = (status: string, text: string): Refusal =>
  new Refusal(550, status, text, { why: 'address_refused' })

export const relayDenied = (): Refusal =>
  new Refusal(550, '5.7.1', 'relaying denied; this server takes mail for its own domains only', {
    why: 'relay_denied',
  })

export const mailboxBroken = (cause: unknown): Refusal =>
  new Refusal(451, '4.2.0', 'mailbox cannot be written now; try again later', {
    cause,
    why: 'mailbox_broken',
  })

/** RFC 3463: 4.2.2. For now: its owner may make room. */
export const mailboxFull = (): Refusal =>
  new Refusal(452, '4.2.2', 'this mailbox is full; try again when its owner has made room', {
    why: 'quota',
  })

export const noSpace = (cause?: unknown): Refusal =>
  new Refusal(452, '4.3.1', 'not enough disk space now; try again later', {
    cause,
    why: 'disk_space',
  })

export const messageTooBig = (limit: number): Refusal =>
  new Refusal(552, '5.3.4', `message is larger than the limit of ${limit} bytes`, {
    why: 'message_size',
  })

export const tryLater = (cause?: unknown): Refusal =>
  new Refusal(451, '4.3.0', 'local error, nothing is lost; try again later', {
    cause,
    why: 'local_error',
  })

export const misconfigured = (cause?: unknown): Refusal =>
  new Refusal(451, '4.3.5', 'this address is misconfigured here; try again later', {
    cause,
    why: 'misconfigured',
  })

export const mailLoop = (): Refusal =>
  new Refusal(
    554,
    '5.4.6',
    'mail loop: this message has been here before, or on too many servers',
    { why: 'loop' },
  )

export const headerTooBig = (limit: number): Refusal =>
  new Refusal(552, '5.3.4', `header is larger than the limit of ${limit} bytes`, {
    why: 'header_size',
  })

export const tooManyFields = (limit: number): Refusal =>
  new Refusal(552, '5.3.4', `header has more than the limit of ${limit} fields`, {
    why: 'header_fields',
  })

export const fieldNameTooLong = (limit: number): Refusal =>
  new Refusal(554, '5.6.0', `header has a field name of more than ${limit} characters`, {
    why: 'header_field_name',
  })

export const fieldMissing = (name: string): Refusal =>
  new Refusal(554, '5.6.0', `message has no ${name} field, which every mail needs`, {
    why: 'header_required',
  })

/** @param why printable ASCII */
export const clientListed = (address: string, why: string): Refusal =>
  new Refusal(550, '5.7.1', `[${address}] is listed by ${why}`, { why: 'dnsbl' })

export const greylisted = (seconds: number): Refusal =>
  new Refusal(451, '4.7.1', `first mail of this kind from you; try again in ${seconds} seconds`, {
    why: 'greylist',
  })

export const cannotFilter = (cause: unknown): Refusal =>
  new Refusal(451, '4.7.1', 'mail cannot be checked now; try again later', {
    cause,
    why: 'filter_failed',
  })

/** RFC 6409 section 6.1. @param user printable ASCII or masked */
export const notYourAddress = (user: string): Refusal =>
  new Refusal(553, '5.7.1', `${user} may not send as this address; use one of your own as sender`, {
    why: 'not_your_address',
  })

export const relayMissing = (): Refusal =>
  new Refusal(
    550,
    '5.7.1',
    'no mail to other domains from here; the administrator set up no relay',
    { why: 'relay_missing' },
  )

/** RFC 8689 section 5. */
export const tlsRequired = (): Refusal =>
  new Refusal(
    550,
    '5.7.30',
    'mail for this address goes on without TLS, which REQUIRETLS forbids',
    { why: 'tls_required' },
  )
