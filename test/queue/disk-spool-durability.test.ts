/** The order of system calls that lets a message that waits survive a power cut, and what a disk that fails leaves. */
import fs from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { silent } from '../../src/log/log.js'
import { DiskSpool } from '../../src/queue/disk-spool.js'
import { bodyOf, itemWith } from '../contracts/spool.js'
import { empty, fill, smallDisk } from '../maildir/disks.js'
import { temporaryDirectory } from '../maildir/helpers.js'
import { type Call, trace, untraceable } from '../maildir/traced.js'
import { spoolScript } from './spool-program.js'

const reason = untraceable()

beforeEach((context) => {
  if (reason !== null) context.skip(reason)
})

/** A spool with all its directories, so that the program makes none. */
async function emptySpool(): Promise<string> {
  const root = join(temporaryDirectory(), 'spool')
  const spool = await DiskSpool.open(root, { laneOf: () => '', maxRetryMs: 1, log: silent })
  spool.close()
  return root
}

/** `rename A.env`, `fsync <shard>`, `write` (somewhere else). */
function step({ name, text }: Call, root: string): string {
  const paths = [...text.matchAll(/["<]([^">]*)[">]/g)].map(([, path]) => path!)
  const last = paths.findLast((path) => path.startsWith(root)) ?? ''
  const file = last.slice(root.length + 1).replace(/^[0-9a-f]{2}(\/|$)/, '')
  return `${name} ${last === '' ? '' : file || 'shard'}`.trim()
}

const written = (root: string): string[] =>
  fs
    .readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes('.'))
    .map((path) => path.slice(3))
    .toSorted()

const CHANGES = /^(write|fsync|rename|unlink|close|say)/
const add = (make: string): string => `
  await spool.add(item('A', 3000), ${make}('A', 3000)).then(() => say('added'), (e) => say(failure(e)))`

const steps = (calls: readonly Call[], root: string): string[] =>
  calls.map((call) => step(call, root)).filter((each) => CHANGES.test(each))

describe('a message that is added', () => {
  test('is written, synced and renamed, body first, then the directory is synced once', async () => {
    const root = await emptySpool()
    const { printed, calls } = trace(spoolScript(root, add('message')), root)
    expect(printed).toBe('added\n')
    const all = steps(calls, root).filter(
      (each) => each !== 'close' && !each.startsWith('close shard'),
    )
    expect(all).toEqual([
      'write A.msg.tmp',
      'fsync A.msg.tmp',
      'close A.msg.tmp',
      'write A.env.tmp',
      'fsync A.env.tmp',
      'close A.env.tmp',
      'rename A.msg',
      'rename A.env',
      'fsync shard',
    ])
    const fresh = calls.filter(({ text }) => text.includes('O_CREAT'))
    expect(fresh).toHaveLength(2)
    for (const { text } of fresh)
      expect(text).toMatch(/O_WRONLY\|O_CREAT\|O_EXCL\|O_NOFOLLOW.*0600/)
  })

  test('many at once share the sync of a directory', async () => {
    const root = await emptySpool()
    const script = `await Promise.all(Array.from({ length: 40 }, (_, n) =>
      spool.add(item('A' + n, 100), message('A' + n, 100)))); say('added')`
    const { printed, calls } = trace(spoolScript(root, script), root)
    expect(printed).toBe('added\n')
    const syncs = steps(calls, root).filter((each) => each === 'fsync shard')
    // All may come in one batch, but 64 additions fill a directory somewhere among them.
    expect(syncs.length).toBeLessThanOrEqual(4)
    expect(steps(calls, root).filter((each) => each.startsWith('fsync A'))).toHaveLength(80)
  })

  const faults: readonly (readonly [string, string])[] = [
    ['fsync:error=EIO:when=1', 'EIO'],
    ['fsync:error=EIO:when=2', 'EIO'],
    ['fsync:error=EIO:when=3', 'EIO'],
    ['rename:error=EDQUOT:when=1', 'EDQUOT'],
    ['rename:error=EIO:when=2', 'EIO'],
  ]

  test.each(faults)('leaves nothing after %s, and the next one is taken', async (fault, code) => {
    const root = await emptySpool()
    const again = `
      say(JSON.stringify(spool.ids()))
      await spool.add(item('B', 5), message('B', 5)); say('B')`
    // The writing thread's own calls: nobody else of the program syncs or renames.
    const { printed } = trace(spoolScript(root, add('message') + again), root, { inject: [fault] })
    expect(printed).toBe(`${code}\n[]\nB\n`)
    expect(written(root)).toEqual(['B.env', 'B.msg'])
  })

  test('that is no more in memory leaves nothing when its body cannot be synced', async () => {
    const root = await emptySpool()
    const fault = { inject: ['fsync:error=EIO:when=1'], threads: 1 }
    const { printed } = trace(spoolScript(root, add('streamed')), root, fault)
    expect(printed).toBe('EIO\n')
    expect(written(root)).toEqual([])
  })
})

/** In pages: no room for anything, for a body and no envelope. */
test.each([0, 1])('a disk with %i pages left takes nothing half', async (pages) => {
  const disk = smallDisk()
  if (disk === null) return
  const root = join(disk, 'spool')
  const spool = await DiskSpool.open(root, { laneOf: () => '', maxRetryMs: 1, log: silent })
  fill(disk, pages)
  const first = spool.add(itemWith('A'), bodyOf('A'))
  await expect(first).rejects.toMatchObject({ code: 'ENOSPC' })
  expect([spool.ids(), written(root)]).toEqual([[], []])
  empty(disk)
  await spool.add(itemWith('A'), bodyOf('A'))
  expect(written(root)).toEqual(['A.env', 'A.msg'])
  spool.close()
})

describe('a message that is settled', () => {
  const settle = (state: string): string => `
    await spool.add(item('A', 10), message('A', 10))
    const [job] = await spool.claim(1, 1000, () => 1)
    const after = { ...recipient, ...${state} }
    await spool.settle(job, new Map([[0, after]])).then(() => say('settled'), (e) => say(failure(e)))
    say(JSON.stringify([spool.ids(), (await spool.claim(1, 1000, () => 1)).length]))`
  const retried = `{ attempts: 1, next: Date.now() + 60_000 }`

  test('and waits on gets a new envelope, written, synced, renamed, the directory synced', async () => {
    const root = await emptySpool()
    const { printed, calls } = trace(spoolScript(root, settle(retried)), root)
    expect(printed).toBe('settled\n[["A"],0]\n')
    const all = steps(calls, root)
    const after = all
      .slice(1 + all.indexOf('fsync shard'))
      .filter((each) => !each.startsWith('close shard'))
    expect(after).toEqual([
      'write A.env.tmp',
      'fsync A.env.tmp',
      'close A.env.tmp',
      'rename A.env',
      'fsync shard',
    ])
  })

  test('for good loses its envelope first', async () => {
    const root = await emptySpool()
    const { printed, calls } = trace(
      spoolScript(root, settle(`{ state: 'failed', reported: true }`)),
      root,
    )
    expect(printed).toBe('settled\n[[],0]\n')
    const gone = steps(calls, root).filter((each) => each.startsWith('unlink'))
    expect(gone).toEqual(['unlink A.env', 'unlink A.msg'])
    expect(written(root)).toEqual([])
  })

  test('on a disk that fails keeps its old envelope, and its loan', async () => {
    const root = await emptySpool()
    const fault = { inject: ['fsync:error=EIO:when=4'] }
    const { printed } = trace(spoolScript(root, settle(retried)), root, fault)
    expect(printed).toBe('EIO\n[["A"],0]\n')
    expect(written(root)).toEqual(['A.env', 'A.msg'])
    const spool = await DiskSpool.open(root, { laneOf: () => '', maxRetryMs: 1, log: silent })
    expect(await spool.read('A')).toMatchObject({ recipients: [{ attempts: 0 }] })
    spool.close()
  })
})
