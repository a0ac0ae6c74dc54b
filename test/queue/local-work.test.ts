import { expect, test } from 'vitest'
import type { Carrier } from '../../src/courier/courier.js'
import { placeOf, type Target } from '../../src/directory/directory.js'
import type { Endings } from '../../src/queue/endings.js'
import { itemOf } from '../../src/queue/item-envelope.js'
import { LocalWork } from '../../src/queue/local-work.js'
import { waitingFor } from '../../src/queue/waiting.js'
import { addressOf, envelopeOf } from '../helpers/mail-world.js'
import { message } from './queue-stage.js'

const ALICE = addressOf('alice@example.com')
const SALES = addressOf('sales@example.com')
const lmtp = (host: string): Target => ({
  kind: 'lmtp',
  endpoint: { kind: 'tcp', host, port: 24 },
  to: ALICE,
})
const HERE: Target = { kind: 'mailbox', user: ALICE, quota: null }

/** Tries mail to `sales` that waited for one place, where the address leads elsewhere by now. */
async function tried(waitedFor: Target, now: readonly Target[]) {
  const brought: string[] = []
  const carrier: Carrier = {
    attempt: async () => [],
    route: async (to) => ({ to, targets: now, refusal: null }),
    bring: async (targets) => {
      brought.push(...targets.map(placeOf))
      return targets.map(() => null)
    },
  }
  const envelope = envelopeOf(null, 'sales@example.com')
  const item = itemOf(envelope, message(), [waitingFor(SALES, waitedFor, null, 0)], 0)
  const work = new LocalWork({ carrier, queue: { put: async () => [] } })
  const job = { item, recipients: [0], lane: 'local', token: 1 }
  const endings: Endings = await work.attempt(job, [0], message())
  return { brought, refusal: endings.get(0)!.refusal }
}

test('mail that waited for a mailbox on another server goes where that mailbox is now', async () => {
  for (const [before, after] of [
    [lmtp('old.example'), lmtp('new.example')],
    [lmtp('old.example'), HERE],
    [HERE, lmtp('new.example')],
  ] as const) {
    expect(await tried(before, [after])).toEqual({ brought: [placeOf(after)], refusal: null })
  }
})

test('mail for a mailbox to which the address does not lead any more fails for good', async () => {
  const bob: Target = { kind: 'mailbox', user: addressOf('bob@example.com'), quota: null }
  const { brought, refusal } = await tried(HERE, [bob])
  expect(brought).toEqual([])
  expect(refusal).toMatchObject({ code: 550, status: '5.1.1' })
})
