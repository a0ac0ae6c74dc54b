/** What the server adds to a message of the maildrop: the rest of its envelope, and where it came from. */
import type { Address } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { TakenDrop } from './drop-read.js'

/** @param to those of its recipients who do not have it yet */
export function dropEnvelope(
  { id, drop }: TakenDrop,
  to: readonly Address[],
  hostname: string,
): Envelope {
  const { size: _, notices, reports, to: all, ...envelope } = drop
  return {
    ...envelope,
    id,
    to,
    notices: to.map((each) => notices[all.indexOf(each)] ?? null),
    ...(reports === null ? {} : { reports }),
    // As of a UNIX socket: somebody on this machine.
    client: { address: '', helo: hostname, secure: false, user: null },
    declaredSize: null,
    unanswered: true,
  }
}

/** A Received line as of RFC 5321 section 4.4, for mail that came by no protocol: who brought it is the owner of the file. */
export function dropTrace({ id, uid }: TakenDrop, hostname: string, now: Date): Buffer {
  const date = now.toUTCString().replace('GMT', '+0000')
  return Buffer.from(
    `Received: by ${hostname} (mailtap, from userid ${uid})\n\tid ${id};\n\t${date}\n`,
  )
}
