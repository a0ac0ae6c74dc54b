/** Tries a server without a mail: connects, with TLS and login as it would be done, and tells what it saw. */
import type { Refusal } from '../mail/refusal.js'
import { sizeLimit } from './envelope-commands.js'
import { openConnection, type ConnectionOptions } from './hop-connection.js'
import type { Hop } from './hop.js'
import type { Opening, Stage } from './opening.js'
import { PATIENCE, type Patience } from './patience.js'
import type { TlsFacts } from './tls-facts.js'

export interface ProbeReport {
  /** `name [address]`, as far as it is known. */
  readonly server: string
  /** Where it ended and why; `null` = mail could be handed over. */
  readonly failed: { readonly stage: Stage; readonly why: Refusal } | null
  /** What the server said first, with its code; `null` = nothing. */
  readonly greeting: string | null
  /** `null` = in clear. */
  readonly tls: TlsFacts | null
  /** Offers of the last EHLO or LHLO, with their arguments; printable ASCII. */
  readonly extensions: readonly string[]
  /** SASL mechanisms that it offers. */
  readonly mechanisms: readonly string[]
  /** The one that the login was done with; `null` = no login. */
  readonly mechanism: string | null
  /** Octets of the largest message that it takes; `null` = it does not say. */
  readonly maxSize: number | null
}

/** Lines of EHLO that are shown. */
const MAX_SHOWN = 100

/** Never throws, always ends. @param patience for tests */
export async function probeHop(
  hop: Hop,
  hostname: string,
  patience: Partial<Patience> = {},
): Promise<ProbeReport> {
  const options: ConnectionOptions = { hostname, patience: { ...PATIENCE, ...patience } }
  const opened = await openConnection(hop, false, options)
  if (opened.failed !== null) {
    const { opening, why } = opened.failed
    return reportOf(opening, { stage: opening.stage, why })
  }
  opened.connection.quit()
  return reportOf(opened.connection.opening, null)
}

function reportOf(opening: Opening, failed: ProbeReport['failed']): ProbeReport {
  const { server, greeting, tls, extensions, mechanisms, mechanism } = opening
  const shown = [...extensions].slice(0, MAX_SHOWN).map((offer) => offer.join(' ').trim())
  return {
    server,
    failed,
    greeting,
    tls,
    extensions: shown.map((line) => line.replace(/[^ -~]/g, '?')),
    mechanisms: [...mechanisms],
    mechanism,
    maxSize: sizeLimit(extensions),
  }
}
