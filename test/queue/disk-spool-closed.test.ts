import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { silent } from '../../src/log/log.js'
import { DiskSpool } from '../../src/queue/disk-spool.js'
import {
  bodyOf,
  byDomain,
  changes,
  ended,
  itemWith,
  LEASE_MS,
  MAX_RETRY_MS,
  roomy,
  SetClock,
  waiting,
} from '../contracts/spool.js'
import { temporaryDirectory } from '../maildir/helpers.js'

test('a worker that outlives its spool writes nothing that the next owner would find', async () => {
  const directory = join(temporaryDirectory(), 'spool')
  const options = { laneOf: byDomain, maxRetryMs: MAX_RETRY_MS, log: silent, clock: new SetClock() }
  const first = await DiskSpool.open(directory, options)
  const recipients = [waiting('bob@example.org')]
  await first.add(itemWith('A1', { recipients }), bodyOf('A1'))
  const [job] = await first.claim(1, LEASE_MS, roomy)
  first.close()
  const next = await DiskSpool.open(directory, options)
  onTestFinished(() => next.close())

  expect(await first.settle(job!, changes(job!, ended))).toBe(null)
  expect(await first.change('A1', () => null)).toBe(false)
  await expect(first.add(itemWith('A2', { recipients }), bodyOf('A2'))).rejects.toThrow(/closed/)
  expect((await next.read('A1'))?.recipients).toEqual(recipients)
})
