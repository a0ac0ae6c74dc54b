/**
 * The server is killed while it writes the indexes of mailboxes that change all the time: whatever
 * is left of them, the next login lists the files that are there.
 */
import { renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type RunningServer, Site } from '../helpers/site.js'
import { KeptBox } from './kept-box.js'
import { KILL_MS, KILLS, Moment } from './kills.js'

const USERS = ['ann', 'ben']
/** So many that to write the index takes a while. */
const MESSAGES = 12_000
/** A change younger than this is not believed, and no index is written; in milliseconds. */
const SETTLED_MS = 25
/** About so long a draft is there, in milliseconds. */
const DRAFT_MS = 0.3
/** Until an index is waited for, at most: a few logins of each. */
const MAX_WAIT_MS = 200

/** Mail comes, is shown by another program, or goes. */
function change(box: KeptBox): void {
  const held = box.held()
  const some = box.place(held[Math.floor(Math.random() * held.length)]!)
  const from = join(box.path, some)
  const kind = Math.random()
  if (kind < 0.6 || held.length < MESSAGES / 2) box.add()
  else if (kind < 0.8) renameSync(from, join(box.path, 'cur', shown(basename(some))))
  else rmSync(from)
}

function shown(name: string): string {
  return name.includes(':') ? `${name.split(':')[0]}:2,RS` : `${name}:2,S`
}

/** Changes the mailbox and logs in, again and again. @returns how often, once the server is gone */
async function logInsUntilGone(box: KeptBox, server: RunningServer): Promise<number> {
  for (let count = 0; ; count++) {
    change(box)
    await pause(SETTLED_MS)
    try {
      const talk = await box.logIn(server)
      // Some of them change the mailbox, too.
      if (count % 3 === 2) await talk.ask('DELE 1')
      await talk.ask('QUIT')
      talk.close()
    } catch {
      return count
    }
  }
}

/** True while the draft of an index is there. */
function writing(boxes: readonly KeptBox[]): () => boolean {
  return () => boxes.some((box) => box.drafts().length > 0)
}

/** What the first two logins of each mailbox say that is not so; the second may believe an index. */
async function lies(boxes: readonly KeptBox[], server: RunningServer): Promise<string[]> {
  const all: string[] = []
  for (let login = 0; login < 2; login++) {
    for (const box of boxes) {
      const talk = await box.logIn(server)
      all.push(...(await box.lies(talk)))
      await talk.ask('QUIT')
      talk.close()
    }
  }
  return all
}

test(
  'a kill while the index is written never makes a login list what is not there',
  async () => {
    const site = await Site.create()
    try {
      const boxes = USERS.map((user) => new KeptBox(site, user))
      for (const box of boxes) for (let n = 0; n < MESSAGES; n++) box.add()
      const when = new Moment(DRAFT_MS)
      const hit = { logins: 0, drafts: 0 }
      for (let kill = 0; kill < KILLS; kill++) {
        const server = await site.start()
        expect(await lies(boxes, server)).toEqual([])
        const logins = boxes.map((box) => logInsUntilGone(box, server))
        await pause(Math.random() * MAX_WAIT_MS)
        await when.come(writing(boxes))
        await server.kill('SIGKILL')
        for (const count of await Promise.all(logins)) hit.logins += count
        const drafts = boxes.reduce((sum, box) => sum + box.clearDrafts(), 0)
        when.learn(drafts === 0)
        hit.drafts += drafts
      }
      expect(await lies(boxes, await site.start())).toEqual([])
      console.log(
        `${KILLS} kills among ${hit.logins} logins: ${hit.drafts} indexes half written, 0 lies`,
      )
    } finally {
      await site.remove()
    }
  },
  KILL_MS * (KILLS + 1),
)
