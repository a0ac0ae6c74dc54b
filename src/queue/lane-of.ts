/** Which way a waiting recipient goes: all places of ours share one lane, for the others the relay knows. */
import type { Relay } from '../relay/relay.js'
import type { QueuedRecipient, QueueItem } from './item.js'

/** The lane of places that are ours. */
export const LOCAL_LANE = 'local'

/** What a lane depends on of a message. */
export type Sending = Pick<QueueItem, 'from' | 'client'>

/** Tells the lane of a recipient as things are configured now; a spool asks it again after `relane`. */
export function laneBy(relay: Relay): (item: Sending, recipient: QueuedRecipient) => string {
  return (item, { target, from }) => {
    if (target.kind !== 'remote') return LOCAL_LANE
    return relay.lane({ from: from ?? item.from, user: item.client.user, to: target.address })
  }
}
