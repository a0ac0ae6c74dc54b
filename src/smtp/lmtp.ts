/** Mail from another server of this site that has a queue (RFC 2033): what one recipient refuses, the others get. */
import type { Role } from './role.js'

export const LMTP: Role = {
  protocol: 'LMTP',
  hellos: new Set(['LHLO']),
  authenticates: false,
  replyPerRecipient: true,
}
