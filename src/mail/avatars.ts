/** What the realm can hand out: the aspects that protocols ask for by name. */
import type { Mailbox } from './mailbox.js'
import type { Sender } from './sender.js'

/** A type, not an interface, so that the portal can map over it. */
export type Avatars = {
  readonly mailbox: Mailbox
  readonly sender: Sender
}
