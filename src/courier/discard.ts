/** Takes mail and throws it away, as `:blackhole:` in an alias asks for; the log keeps a trace of it. */
import type { DiscardTarget } from '../directory/directory.js'
import type { Log } from '../log/log.js'
import { formatAddress } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Refusal } from '../mail/refusal.js'
import type { TargetCourier } from './courier.js'

export class DiscardCourier implements TargetCourier<DiscardTarget> {
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  async deliver(
    targets: readonly DiscardTarget[],
    { id }: Envelope,
  ): Promise<readonly (Refusal | null)[]> {
    for (const { of } of targets) this.#log.info('mail discarded', { id, of: formatAddress(of) })
    return targets.map(() => null)
  }
}
