/**
 * The server is killed while mail is being removed, many times (RFC 1939 section 6, P5): no message
 * is gone that was not marked, none is lost that should be in the trash, and the next login lists
 * what is there.
 */
import { describe, expect, test } from 'vitest'
import { type RunningServer, Site } from '../helpers/site.js'
import type { Talk } from '../helpers/talk.js'
import { KeptBox } from './kept-box.js'
import { KILL_MS, KILLS, Moment } from './kills.js'

/** Sessions that are killed together. */
const USERS = ['ann', 'ben', 'cat', 'dan', 'eve', 'fay', 'gil', 'hal']
/** Messages in each mailbox: enough for an index. */
const MESSAGES = 200

/** About so long the removal takes, in milliseconds. */
const REMOVAL_MS = 10

/** A session that has marked about half of its messages. */
interface Marked {
  readonly box: KeptBox
  readonly talk: Talk
  readonly before: readonly number[]
  readonly marked: ReadonlySet<number>
}

async function marking(box: KeptBox, server: RunningServer): Promise<Marked> {
  for (let more = box.held().length; more < MESSAGES; more++) box.add()
  const talk = await box.logIn(server)
  expect(await box.lies(talk)).toEqual([])
  const before = box.held()
  const marked = new Set(before.filter(() => Math.random() < 0.5))
  const numbers = before.flatMap((id, at) => (marked.has(id) ? [at + 1] : []))
  talk.send(numbers.map((n) => `DELE ${n}\r\n`).join(''))
  for (const n of numbers) expect(await talk.line(), `DELE ${n}`).toMatch(/^\+OK/)
  return { box, talk, before, marked }
}

/** What became of one session's QUIT. */
interface Outcome {
  readonly removed: number
  readonly asked: number
  readonly answered: boolean
}

/** Looks at the disk before anybody else does. @param violations collects what must not be */
async function audit(session: Marked, trash: boolean, violations: string[]): Promise<Outcome> {
  const { box, talk, before, marked } = session
  const answered = (await talk.rest()).startsWith('+OK')
  const held = new Set(box.held())
  const whole = box.whole()
  const trashed = new Set(box.trashed())
  for (const id of before) {
    if (!marked.has(id) && !held.has(id)) violations.push(`${id} was not marked and is gone`)
    if (!marked.has(id) && trashed.has(id)) violations.push(`${id} was not marked and is trash`)
    if (held.has(id) && !whole.has(id)) violations.push(`${id} is not whole`)
    if (trash && !whole.has(id)) violations.push(`${id} is lost`)
    if (answered && marked.has(id) && held.has(id)) violations.push(`${id} was said to be removed`)
  }
  const removed = [...marked].filter((id) => !held.has(id)).length
  return { removed, asked: marked.size, answered }
}

/** True once a message of any of them is gone. */
function removing(boxes: readonly KeptBox[]): () => boolean {
  const before = boxes.map((box) => box.changed())
  return () => boxes.some((box, at) => box.changed() !== before[at])
}

/** Kills so often. @returns what was hit, for people */
async function storm(site: Site, kills: number, trash: boolean): Promise<string> {
  const boxes = USERS.map((user) => new KeptBox(site, user))
  const when = new Moment(REMOVAL_MS)
  const hit = { within: 0, sessions: 0, answered: 0 }
  for (let kill = 0; kill < kills; kill++) {
    const server = await site.start()
    const sessions = await Promise.all(boxes.map((box) => marking(box, server)))
    const begun = removing(boxes)
    for (const { talk } of sessions) talk.send('QUIT\r\n')
    await when.come(begun)
    await server.kill('SIGKILL')
    const violations: string[] = []
    const outcomes = await Promise.all(sessions.map((one) => audit(one, trash, violations)))
    expect(violations).toEqual([])
    when.learn(outcomes.every(({ removed, asked }) => removed === asked))
    const half = outcomes.filter(({ removed, asked }) => removed > 0 && removed < asked).length
    if (half > 0) hit.within++
    hit.sessions += half
    hit.answered += outcomes.filter(({ answered }) => answered).length
    for (const box of boxes) box.emptyTrash()
  }
  const server = await site.start()
  for (const box of boxes) expect(await box.lies(await box.logIn(server))).toEqual([])
  return `${hit.within} in the middle (${hit.sessions} mailboxes half done, ${hit.answered} QUITs answered)`
}

describe('a kill in the middle of QUIT', () => {
  test.each([
    ['with a trash', true, Math.ceil(KILLS / 2)],
    ['without a trash', false, Math.max(1, Math.floor(KILLS / 2))],
  ])(
    'harms nothing that was not marked, %s (P5)',
    async (what, trash, kills) => {
      const site = await Site.create()
      try {
        await site.configure(`[mailboxes]\ntrash = "${trash ? '30d' : 'off'}"`)
        const hit = await storm(site, kills, trash)
        console.log(`${kills} kills ${what}: ${hit}, 0 violations`)
      } finally {
        await site.remove()
      }
    },
    KILL_MS * (KILLS + 1),
  )
})
