/**
 * A program with a spool is killed while it adds, tries and settles: whatever it had said that it
 * has is there, whole; whatever it had said to be done is gone; nothing is found broken.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { DiskSpool } from '../../src/queue/disk-spool.js'
import { textOf } from '../contracts/spool.js'
import { keptLog } from '../helpers/kept-log.js'
import { temporaryDirectory } from '../maildir/helpers.js'
import { program } from '../maildir/program.js'
import { spoolScript } from '../queue/spool-program.js'
import { KILL_MS, KILLS } from './kills.js'

/** Of work, at most, before the kill; in milliseconds. */
const WORK_MS = 150
/** What the program has said when the time of the kill begins to run. */
const SIGNS = ['ready', 'added', 'gone', 'gone']
const SIZE = 2_000

/** Adds by several hands, some of it not in memory; tries what is there: half of it is done then. */
const work = (run: number): string => `
  let n = 0
  say('ready')
  const adding = async () => {
    for (;;) {
      const id = 'R${run}N' + n++
      await spool.add(item(id, ${SIZE}), (n % 5 === 0 ? streamed : message)(id, ${SIZE}))
      say('added ' + id)
    }
  }
  const trying = async () => {
    for (;;) {
      const jobs = await spool.claim(20, 60_000, () => 100)
      if (jobs.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      await Promise.all(jobs.map(async (job) => {
        const { id, recipients: [to] } = job.item
        const done = Math.random() < 0.5
        if (done) say('begin ' + id)
        const after = done ? { ...to, state: 'relayed', reported: true } : { ...to, attempts: to.attempts + 1, next: Date.now() + 20 }
        await spool.settle(job, new Map([[0, after]]))
        say((done ? 'gone ' : 'tried ') + id)
      }))
    }
  }
  await Promise.all([adding(), adding(), adding(), adding(), trying()])`

/** @returns what it said, whole lines only */
async function workUntilKilled(root: string, run: number): Promise<string[]> {
  const child = spawn(process.execPath, program(spoolScript(root, work(run))), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const sign = SIGNS[run % SIGNS.length]!
  let said = ''
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes(sign)) resolve()
    })
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  await Promise.race([ready, closed])
  await pause(Math.random() * WORK_MS)
  child.kill('SIGKILL')
  await closed
  return said.split('\n').slice(0, -1)
}

test(
  'a kill at any moment loses nothing that was taken and breaks nothing',
  async () => {
    const root = join(temporaryDirectory(), 'spool')
    const added = new Set<string>()
    const begun = new Set<string>()
    const gone = new Set<string>()
    for (let run = 0; run < KILLS; run++) {
      for (const line of await workUntilKilled(root, run)) {
        const [word, id = ''] = line.split(' ')
        if (word === 'added') added.add(id)
        if (word === 'begin') begun.add(id)
        if (word === 'gone') gone.add(id)
      }
      const log = keptLog()
      const spool = await DiskSpool.open(root, { laneOf: () => '', maxRetryMs: 1e9, log })
      const there = new Set(spool.ids())
      for (const id of there) {
        const item = await spool.read(id)
        expect(item, id).toMatchObject({ id, size: SIZE })
        expect((await textOf(await spool.message(item!))).startsWith(`${id}\n${id}\n`), id).toBe(
          true,
        )
      }
      const lost = [...added].filter((id) => !there.has(id) && !begun.has(id))
      const back = [...gone].filter((id) => there.has(id))
      expect({ lost, back, broken: log.of('queue file broken') }).toEqual({
        lost: [],
        back: [],
        broken: [],
      })
      spool.close()
      expect(readdirSync(join(root, 'corrupt'))).toEqual([])
    }
    expect(Math.min(added.size, gone.size)).toBeGreaterThan(0)
    console.log(`${KILLS} kills: ${added.size} added, ${gone.size} done, 0 lost, 0 broken`)
  },
  KILL_MS * (KILLS + 1),
)
