/** Puts DomainKeys signatures (RFC 6376) in front of mail that leaves for other domains. */
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'

export interface Dkim {
  /**
   * Mail that somebody handed in. It is signed for the domain of its author if that is one of ours,
   * has keys, and is the sender's to speak for; what a stranger brought is never signed.
   * @returns the very message that came if it is not to be signed
   * @throws when there are keys that cannot be used: the mail must wait then, since a domain that
   *   asks others to refuse what is not signed (RFC 7489) would lose it
   */
  signed(envelope: Envelope, message: Message): Promise<Message>

  /** @throws what `signed` would throw of the keys for this mail */
  ready(envelope: Envelope, message: Message): Promise<void>

  /** The same as `signed` for mail that this server wrote itself. */
  signedReport(message: Message): Promise<Message>
}
