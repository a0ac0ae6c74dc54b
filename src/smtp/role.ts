/** What one kind of SMTP port does differently from another: mx.ts, submission.ts and lmtp.ts say it. */

export interface Role {
  /** The word in the greeting: RFC 5321 section 4.2, RFC 2033 section 4. */
  readonly protocol: 'ESMTP' | 'LMTP'
  /** How the client may begin (RFC 5321 section 4.1.1.1, RFC 2033 section 4.1). */
  readonly hellos: ReadonlySet<string>
  /** AUTH is offered, and mail is taken from nobody else (RFC 6409 section 4.3). */
  readonly authenticates: boolean
  /** After the body each recipient gets a reply of its own (RFC 2033 section 4.2). */
  readonly replyPerRecipient: boolean
}
