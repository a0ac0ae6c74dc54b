/** A spool in which very much waits: few of it here, 100,000 with MAILTAP_QUEUED=100000. */
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { silent } from '../../src/log/log.js'
import { DiskSpool } from '../../src/queue/disk-spool.js'
import { formatEnvelope } from '../../src/queue/envelope-file.js'
import {
  bodyOf,
  byDomain,
  idsOf,
  itemWith,
  LEASE_MS,
  MAX_RETRY_MS,
  roomy,
  waiting,
} from '../contracts/spool.js'
import { temporaryDirectory } from '../maildir/helpers.js'

const MANY = Number(/^[1-9]\d{2,6}$/.exec(process.env['MAILTAP_QUEUED'] ?? '3000')?.[0])
const PAUSE_MS = 20

test('all of it (Q9) is found, a full lane with nearly all of it holds up nothing, and nothing is lent twice', async () => {
  const root = join(temporaryDirectory(), 'spool')
  const settings = { laneOf: byDomain, maxRetryMs: MAX_RETRY_MS, log: silent }
  const first = await DiskSpool.open(root, settings)
  first.close()
  for (let n = 0; n < MANY; n++) {
    const id = `M${n}`
    // Milliseconds apart: two clocks that are read one after the other may differ by one.
    const next = n * 10
    const recipients = [waiting(n % 1000 === 0 ? 'x@quick.example' : 'x@slow.example', { next })]
    const path = join(root, (n % 256).toString(16).padStart(2, '0'), id)
    const item = itemWith(id, { recipients })
    fs.writeFileSync(`${path}.env`, formatEnvelope(item))
    fs.writeFileSync(`${path}.msg`, `Subject: ${id}\n\n${id}\n`)
  }
  const spool = await DiskSpool.open(root, settings)
  expect(spool.ids()).toHaveLength(MANY)
  const full = (lane: string): number => (lane === 'slow.example' ? 0 : 50)
  const quick: string[] = []
  // Until all envelopes were read there may always be something that is due.
  while (spool.nextDue(full) !== null && quick.length < MANY / 1000) {
    quick.push(...idsOf(await spool.claim(50, LEASE_MS, full)))
    await pause(PAUSE_MS)
  }
  const all = Array.from({ length: Math.ceil(MANY / 1000) }, (_, n) => `M${n * 1000}`)
  expect(quick.toSorted()).toEqual(all.toSorted())
  const jobs = await spool.claim(50, LEASE_MS, roomy)
  const oldest = Array.from({ length: 50 }, (_, n) => `M${n + 1}`)
  expect(idsOf(jobs)).toEqual(oldest)
  await spool.add(itemWith('Q', { recipients: [waiting('x@quick.example')] }), bodyOf('Q'))
  expect(idsOf(await spool.claim(50, LEASE_MS, full))).toEqual(['Q'])
  spool.close()
})
