/** Mail from own users (RFC 6409): who one is must be said first, over TLS (RFC 8314). */
import type { Role } from './role.js'

export const SUBMISSION: Role = {
  protocol: 'ESMTP',
  hellos: new Set(['EHLO', 'HELO']),
  authenticates: true,
  replyPerRecipient: false,
}
