/** Mail from other servers for the own domains (RFC 5321): anybody may speak, nobody logs in. */
import type { Role } from './role.js'

export const MX: Role = {
  protocol: 'ESMTP',
  hellos: new Set(['EHLO', 'HELO']),
  authenticates: false,
  replyPerRecipient: false,
}
