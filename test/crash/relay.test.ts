/**
 * The server is killed while it takes mail and relays it (reliability Q6): whatever it said 250 to
 * reaches the smarthost, whole; a second copy comes only of what was under way when it was killed;
 * nobody is told of a failure that was none; and no file stays behind.
 */
import { randomUUID } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { expectCode, fetchAll } from '../helpers/mail-talk.js'
import { MailSink } from '../helpers/mail-sink.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'
import { KILL_MS, KILLS } from './kills.js'

const ANY_PORT = '127.0.0.1:0'
/** An alias of ours that leads elsewhere. */
const OUT = `out@${DOMAIN}`
const SENDERS = 4
/** Messages under way at once; so many may come twice for each kill. */
const CONCURRENCY = 8
/** Messages that are acknowledged, at most, before the time of the kill begins to run: a start takes a while. */
const BEGUN = 20
const BEGUN_MS = 10_000
/** Of work, at most, before the kill; in milliseconds. */
const WORK_MS = 300
/** Of the smarthost, before it answers; in milliseconds. */
const THINK_MS = 30
/** In how many of a hundred cases the smarthost says "later", or hangs up. */
const LATER = 5
const HANG_UP = 2
const DRAINED = { timeout: 120_000, interval: 100 }
/** Files that a kill may leave: two of each message that was being added, one of each being written or removed. */
const LEFT_BY_KILL = 4 * SENDERS + CONCURRENCY
const FILLING = `${'filling '.repeat(9)}\r\n.dot\r\n`.repeat(40)

const textOf = (id: string): string =>
  `Message-ID: <${id}@client.example>\r\n\r\n${FILLING}END ${id}\r\n`
const onTheWire = (text: string): string => text.replace(/^\./gm, '..')

/** What the smarthost has taken, and in which life of the server. */
class Arrivals {
  /** By id: the lives in which it came. */
  readonly lives = new Map<string, number[]>()
  readonly broken: string[] = []
  readonly reports: string[] = []
  life = 0

  /** Noted before it is answered: an answer may meet nobody. */
  readonly take = async (text: string, from: string): Promise<string | null> => {
    const { life } = this
    const chance = Math.random() * 100
    await pause(Math.random() * THINK_MS)
    if (chance < LATER) return '451 4.3.0 later'
    if (chance < LATER + HANG_UP) return null
    if (from === '') this.reports.push(text)
    else this.#note(text, life)
    return '250 2.0.0 taken'
  }

  #note(text: string, life: number): void {
    const id = /^Message-ID: <(.*)@/m.exec(text)?.[1] ?? ''
    if (!text.endsWith(onTheWire(textOf(id)))) this.broken.push(text.slice(0, 500))
    this.lives.set(id, [...(this.lives.get(id) ?? []), life])
  }
}

/** Sends until the server is gone. @param acked collects what it said 250 to */
async function sendUntilGone(port: number, hello: string, acked: Set<string>): Promise<void> {
  try {
    const talk = await Talk.to(port)
    await expectCode(talk.reply(), 220)
    await expectCode(talk.ask(`${hello} client.example`), 250)
    for (;;) {
      const id = randomUUID()
      await expectCode(talk.ask('MAIL FROM:<joe@client.example>'), 250)
      await expectCode(talk.ask(`RCPT TO:<${OUT}>`), 250)
      await expectCode(talk.ask('DATA'), 354)
      talk.send(`${onTheWire(textOf(id))}.\r\n`)
      await expectCode(talk.reply(), 250)
      acked.add(id)
    }
  } catch {
    // The kill; if senders fail for another reason, too little is acknowledged.
  }
}

async function workUntilKilled(server: RunningServer, acked: Set<string>): Promise<void> {
  const senders = (['smtp', 'lmtp'] as const).flatMap((protocol) =>
    Array.from({ length: SENDERS }, () =>
      sendUntilGone(server.port(protocol), protocol === 'smtp' ? 'EHLO' : 'LHLO', acked),
    ),
  )
  const enough = acked.size + Math.random() * BEGUN
  const late = performance.now() + BEGUN_MS
  while (acked.size < enough && performance.now() < late) await pause(1)
  await pause(Math.random() * WORK_MS)
  await server.kill('SIGKILL')
  await Promise.all(senders)
}

/** Files of the spool with such names, by their paths. */
async function filesIn(site: Site, names: RegExp): Promise<string[]> {
  const spool = join(site.folder, 'state', 'spool')
  const all = await readdir(spool, { recursive: true })
  return all.filter((name) => names.test(name)).map((name) => join(spool, name))
}

/** How many messages came again later, by the life in which they had come: its kill met them under way. */
function secondCopies(arrivals: Arrivals): Map<number, number> {
  const copies = new Map<number, number>()
  for (const [id, lives] of arrivals.lives) {
    expect(new Set(lives).size, `${id} came twice without a kill`).toBe(lives.length)
    for (const life of lives.slice(0, -1)) copies.set(life, (copies.get(life) ?? 0) + 1)
  }
  return copies
}

test(
  'Q6: a kill at any moment of relaying loses nothing, and doubles only what was under way',
  async () => {
    const arrivals = new Arrivals()
    const sink = await MailSink.start(arrivals.take)
    const site = await Site.create({
      create: ['-s', ANY_PORT, '-p', ANY_PORT, '--lmtp', ANY_PORT],
    })
    try {
      await writeFile(join(site.mail, '.aliases'), 'out: away@far.example\n')
      await site.users('postmaster')
      await site.configure(`[relay]
via = ["smtp://127.0.0.1:${sink.port}"]
tls = "never"
concurrency = ${CONCURRENCY}
[queue]
retry_first = "1s"
retry_max = "2s"`)
      const acked = new Set<string>()
      for (; arrivals.life < KILLS; arrivals.life++)
        await workUntilKilled(await site.start(), acked)

      const server = await site.start()
      await expect.poll(() => filesIn(site, /\.env$/), DRAINED).toEqual([])
      // What kills left half-written is no message; it goes when it is old (disk-spool.test.ts).
      const left = await filesIn(site, /\.(?:msg|tmp)$/)
      expect(left.length).toBeLessThanOrEqual(KILLS * LEFT_BY_KILL)
      const lost = [...acked].filter((id) => !arrivals.lives.has(id))
      const copies = secondCopies(arrivals)
      expect({ lost, broken: arrivals.broken, reports: arrivals.reports }).toEqual({
        lost: [],
        broken: [],
        reports: [],
      })
      for (const [life, count] of copies)
        expect(count, `under way at the end of life ${life}`).toBeLessThanOrEqual(CONCURRENCY)
      expect(await fetchAll(server.port('pop3'), 'postmaster', PASSWORD)).toEqual([])
      expect(await readdir(join(site.folder, 'state', 'spool', 'corrupt'))).toEqual([])
      expect(acked.size).toBeGreaterThan(KILLS)
      const twice = [...copies.values()].reduce((sum, count) => sum + count, 0)
      console.log(
        `${KILLS} kills: ${acked.size} acknowledged, ${arrivals.lives.size} arrived, 0 lost, 0 broken, ${twice} twice`,
      )
    } finally {
      await site.remove()
      await sink.stop()
    }
  },
  KILL_MS * (KILLS + 4),
)
