/** What the spool on a disk makes of files that are not as it wrote them. */
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { DiskSpool } from '../../src/queue/disk-spool.js'
import { Leftovers } from '../../src/queue/leftovers.js'
import type { QueueItem } from '../../src/queue/item.js'
import {
  bodyOf,
  byDomain,
  changes,
  idsOf,
  itemWith,
  LEASE_MS,
  MAX_RETRY_MS,
  roomy,
  SetClock,
  textOf,
  waiting,
} from '../contracts/spool.js'
import { type KeptLog, keptLog } from '../helpers/kept-log.js'
import { temporaryDirectory } from '../maildir/helpers.js'

const open: DiskSpool[] = []
afterEach(() => {
  for (const spool of open.splice(0)) spool.close()
})

class Stage {
  readonly root = join(temporaryDirectory(), 'spool')
  readonly clock = new SetClock()
  log: KeptLog = keptLog()

  async start(): Promise<DiskSpool> {
    this.log = keptLog()
    const { clock, log } = this
    const spool = await DiskSpool.open(this.root, {
      clock,
      log,
      laneOf: byDomain,
      maxRetryMs: MAX_RETRY_MS,
    })
    open.push(spool)
    return spool
  }

  /** Fills a spool and closes it. */
  async filled(...items: readonly QueueItem[]): Promise<void> {
    const spool = await this.start()
    for (const item of items) await spool.add(item, bodyOf(item.id))
    spool.close()
  }

  /** The files, as `name` or `corrupt/…`. */
  files(): string[] {
    const all = fs.readdirSync(this.root, { recursive: true, encoding: 'utf8' })
    const files = all.filter((path) => !fs.lstatSync(join(this.root, path)).isDirectory())
    return files.map((path) => (path.startsWith('corrupt') ? path : basename(path))).toSorted()
  }

  path(name: string): string {
    const all = fs.readdirSync(this.root, { recursive: true, encoding: 'utf8' })
    return join(
      this.root,
      all.find((path) => basename(path) === name)!,
    )
  }
}

const three = ['A', 'B', 'C'].map((id) => itemWith(id))
const claimed = async (spool: DiskSpool): Promise<string[]> =>
  idsOf(await spool.claim(100, LEASE_MS, roomy)).toSorted()

describe('a spool that was opened again', () => {
  test('has everything, as it was, with its content', async () => {
    const stage = new Stage()
    const item = itemWith('B', {
      from: null,
      reports: { content: 'full', envelopeId: 'x+20y' },
      recipients: [
        waiting('bob@example.org', { from: { local: 'srs0=x', domain: 'example.com' } }),
        waiting('josé@example.org', {
          notice: { notify: ['failure'], originalRecipient: 'rfc822;a' },
          trouble: { code: 451, status: '4.3.0', text: 'later', by: 'mx [192.0.2.1]', at: 1.5 },
        }),
      ],
    })
    await stage.filled(itemWith('A'), item)
    const spool = await stage.start()
    expect(await spool.read('B')).toEqual(item)
    expect(await claimed(spool)).toEqual(['A', 'B'])
    expect(await textOf(await spool.message(item))).toBe('Subject: B\n\nB\n')
    expect(stage.files()).toEqual(['A.env', 'A.msg', 'B.env', 'B.msg'])
    expect(fs.statSync(stage.path('A.env')).mode & 0o777).toBe(0o600)
    expect(fs.statSync(stage.path('A.msg')).mode & 0o777).toBe(0o600)
    expect(fs.statSync(dirname(stage.path('A.msg'))).mode & 0o777).toBe(0o700)
  })

  test('knows what was settled, and lends what was lent', async () => {
    const stage = new Stage()
    const spool = await stage.start()
    for (const item of three) await spool.add(item, bodyOf(item.id))
    const jobs = await spool.claim(3, LEASE_MS, roomy)
    stage.clock.pass(700)
    const job = jobs.find(({ item }) => item.id === 'A')!
    await spool.settle(
      job,
      changes(job, (to) => ({ ...to, attempts: 3 })),
    )
    spool.close()
    const again = await stage.start()
    expect(await again.read('A')).toMatchObject({ waitedMs: 700, recipients: [{ attempts: 3 }] })
    expect(await claimed(again)).toEqual(['A', 'B', 'C'])
  })

  test('keeps a large message and one that came in pieces, and reads them twice', async () => {
    const stage = new Stage()
    const spool = await stage.start()
    const line = Buffer.from(`${'x'.repeat(76)}\n`)
    async function* pieces(): AsyncGenerator<Buffer, void, void> {
      for (let n = 0; n < 5_000; n++) yield line
    }
    const large = itemWith('L', { size: 77 * 5_000, lines: 5_000 })
    await spool.add(large, { size: large.size, lines: 5_000, open: pieces })
    const message = await spool.message(large)
    for (let n = 0; n < 2; n++) expect(await textOf(message)).toBe(line.toString().repeat(5_000))
    expect(stage.files()).toEqual(['L.env', 'L.msg'])
    fs.truncateSync(stage.path('L.msg'), 100)
    await expect(textOf(await spool.message(large))).rejects.toThrow('not as long')
  })

  test('finds a due time that a wrong clock wrote due', async () => {
    const stage = new Stage()
    await stage.filled(itemWith('A'))
    stage.clock.jump(-10 * 365 * 24 * 3_600_000)
    expect(await claimed(await stage.start())).toEqual(['A'])
  })

  test('tries nothing earlier or later because a running clock was set', async () => {
    const stage = new Stage()
    const spool = await stage.start()
    const later = waiting('a@b.example', { next: stage.clock.now() + 3_600_000 })
    await spool.add(itemWith('A', { recipients: [later] }), bodyOf('A'))
    for (const years of [10, -20]) {
      stage.clock.jump(years * 365 * 24 * 3_600_000)
      expect(await claimed(spool)).toEqual([])
    }
    stage.clock.pass(3_600_000)
    expect(await claimed(spool)).toEqual(['A'])
  })

  test('tells of what a crash left between an end and its report', async () => {
    const stage = new Stage()
    await stage.filled(itemWith('A', { recipients: [waiting('a@b.example', { state: 'failed' })] }))
    const spool = await stage.start()
    expect(await claimed(spool)).toEqual([])
    expect(spool.untold()).toEqual(['A'])
  })

  test('spreads what comes over many directories', async () => {
    const stage = new Stage()
    const items = Array.from({ length: 400 }, (_, n) => itemWith(`N${n}`))
    const spool = await stage.start()
    await Promise.all(items.map((item) => spool.add(item, bodyOf(item.id))))
    const shards = new Set(items.map(({ id }) => dirname(stage.path(`${id}.env`))))
    expect(shards.size).toBeGreaterThanOrEqual(6)
    expect(fs.readdirSync(stage.root)).toHaveLength(257)
  })
})

describe('a broken message (Q9)', () => {
  const faults: Readonly<Record<string, (stage: Stage) => void>> = {
    'an empty envelope': (stage) => fs.truncateSync(stage.path('B.env'), 0),
    'half an envelope': (stage) => fs.truncateSync(stage.path('B.env'), 100),
    'junk for an envelope': (stage) =>
      fs.writeFileSync(stage.path('B.env'), Buffer.alloc(999, 0xe9)),
    'other JSON': (stage) => fs.writeFileSync(stage.path('B.env'), '{"version":1}\n'),
    'the envelope of another': (stage) => fs.copyFileSync(stage.path('A.env'), stage.path('B.env')),
    'a body that was cut': (stage) => fs.truncateSync(stage.path('B.msg'), 3),
    'an empty body': (stage) => fs.truncateSync(stage.path('B.msg'), 0),
    'a link for an envelope': (stage) => {
      const path = stage.path('B.env')
      fs.renameSync(path, `${stage.root}.elsewhere`)
      fs.symlinkSync(`${stage.root}.elsewhere`, path)
    },
    'a link for a body': (stage) => {
      const path = stage.path('B.msg')
      fs.renameSync(path, `${stage.root}.elsewhere`)
      fs.symlinkSync(`${stage.root}.elsewhere`, path)
    },
    'a directory for an envelope': (stage) => {
      const path = stage.path('B.env')
      fs.rmSync(path)
      fs.mkdirSync(path)
      fs.writeFileSync(join(path, 'B.env'), '')
    },
  }

  test.each(Object.entries(faults))(
    '(%s) is put aside whole, and the rest runs',
    async (_, spoil) => {
      const stage = new Stage()
      await stage.filled(...three)
      spoil(stage)
      const spool = await stage.start()
      expect(await claimed(spool)).toEqual(['A', 'C'])
      expect(fs.readdirSync(join(stage.root, 'corrupt', 'B')).toSorted()).toEqual([
        'B.env',
        'B.msg',
      ])
      expect(stage.log.of('queue file broken')).toMatchObject([{ id: 'B' }])
      expect([await spool.read('B'), spool.ids().toSorted()]).toEqual([null, ['A', 'C']])
    },
  )

  test('without a body is put aside', async () => {
    const stage = new Stage()
    await stage.filled(...three)
    fs.rmSync(stage.path('B.msg'))
    expect(await claimed(await stage.start())).toEqual(['A', 'C'])
    expect(stage.files()).toContain('corrupt/B/B.env')
  })

  test('does not take the place of one that was put aside before', async () => {
    const stage = new Stage()
    for (const content of ['one', 'two']) {
      await stage.filled(itemWith('B'))
      fs.writeFileSync(stage.path('B.env'), content)
      expect(await claimed(await stage.start())).toEqual([])
    }
    const kept = ['B', 'B.1'].map((place) =>
      fs.readFileSync(join(stage.root, 'corrupt', place, 'B.env'), 'utf8'),
    )
    expect(kept).toEqual(['one', 'two'])
  })

  test('of an id that is there twice (Q9) one runs and the other is put aside', async () => {
    const stage = new Stage()
    await stage.filled(itemWith('A'))
    const own = dirname(stage.path('A.env'))
    const other = join(stage.root, basename(own) === '00' ? '01' : '00')
    for (const end of ['env', 'msg'])
      fs.copyFileSync(join(own, `A.${end}`), join(other, `A.${end}`))
    expect(await claimed(await stage.start())).toEqual(['A'])
    expect(stage.files()).toEqual(['A.env', 'A.msg', 'corrupt/A/A.env', 'corrupt/A/A.msg'])
  })
})

describe('what is none of ours', () => {
  test('a message of a later version (Q9) stays where it is and is not sent', async () => {
    const stage = new Stage()
    await stage.filled(...three)
    fs.writeFileSync(stage.path('B.env'), '{"version":2,"items":[]}\n')
    const spool = await stage.start()
    expect(await claimed(spool)).toEqual(['A', 'C'])
    spool.relane()
    await spool.add(itemWith('B', { held: true }), bodyOf('B'))
    expect([await spool.read('B'), await spool.change('B', () => null)]).toEqual([null, false])
    expect(fs.readFileSync(stage.path('B.env'), 'utf8')).toBe('{"version":2,"items":[]}\n')
    expect(stage.log.of('queue file of a later version')).toEqual([{ id: 'B' }])
  })

  test('foreign files and what a crash left are no messages, and stay for now', async () => {
    const stage = new Stage()
    await stage.filled(itemWith('A'))
    const place = dirname(stage.path('A.env'))
    for (const name of ['core', '..env', 'X.msg', 'Y.env.tmp', 'Y.msg.tmp'])
      fs.writeFileSync(join(place, name), 'x')
    const spool = await stage.start()
    expect(await claimed(spool)).toEqual(['A'])
    expect(stage.log.of('queue foreign files')).toMatchObject([{ count: 2 }])
    expect(stage.log.of('queue leftovers')).toEqual([{ count: 3 }])
    expect(stage.files()).toHaveLength(7)
  })

  test('what a crash left goes when it is old and nobody uses it', async () => {
    const directory = temporaryDirectory()
    const leftovers = new Leftovers(keptLog())
    const old = Date.now() / 1000 - 3_700
    for (const name of ['A.msg', 'B.msg', 'C.msg', 'D.msg']) {
      leftovers.note({ name, id: name[0]!, draft: false, shard: 0, directory })
      if (name !== 'D.msg') fs.writeFileSync(join(directory, name), 'x')
      if (name < 'C') fs.utimesSync(join(directory, name), old, old)
    }
    await leftovers.clear(({ id }) => id === 'B')
    expect(fs.readdirSync(directory).toSorted()).toEqual(['B.msg', 'C.msg'])
  })

  test('a draft of the same name is no obstacle', async () => {
    const stage = new Stage()
    const spool = await stage.start()
    for (let n = 0; n < 256; n++) {
      const shard = join(stage.root, n.toString(16).padStart(2, '0'))
      for (const name of ['A.env.tmp', 'A.msg.tmp', 'A.msg'])
        fs.writeFileSync(join(shard, name), 'old, and longer than what comes now')
    }
    await spool.add(itemWith('A'), bodyOf('A'))
    expect(await textOf(await spool.message(itemWith('A')))).toBe('Subject: A\n\nA\n')
  })

  test('a spool that is a link, or has one for a directory, is not opened', async () => {
    const stage = new Stage()
    await stage.filled()
    fs.rmdirSync(join(stage.root, '7f'))
    fs.symlinkSync(temporaryDirectory(), join(stage.root, '7f'))
    await expect(stage.start()).rejects.toThrow('7f: not a directory')
  })

  test('a message whose files somebody removed is forgotten', async () => {
    const stage = new Stage()
    await stage.filled(...three)
    const spool = await stage.start()
    fs.rmSync(stage.path('B.env'))
    expect(await claimed(spool)).toEqual(['A', 'C'])
    expect(stage.log.of('queue file gone')).toEqual([{ id: 'B' }])
  })

  test('an id that is no file name and an item that could not be read again are not taken', async () => {
    const stage = new Stage()
    const spool = await stage.start()
    const wrong = [
      itemWith('../A'),
      itemWith(''),
      itemWith('A', { received: Number.NaN }),
      itemWith('A', { size: 3 }),
    ]
    for (const item of wrong) await expect(spool.add(item, bodyOf(item.id))).rejects.toThrow()
    expect([spool.ids(), stage.files()]).toEqual([[], []])
  })
})
