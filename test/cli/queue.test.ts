import { mkdir, symlink } from 'node:fs/promises'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ControlRefusal, controlSocket, type ServerStatus } from '../../src/control/control.js'
import { controlRoutes } from '../../src/control/routes.js'
import { ControlServer } from '../../src/control/server.js'
import { silent } from '../../src/log/log.js'
import { fromBuffer } from '../../src/mail/message.js'
import { DiskSpool } from '../../src/queue/disk-spool.js'
import type { QueuedRecipient, QueueItem, Trouble } from '../../src/queue/item.js'
import { MemorySpool } from '../../src/queue/memory-spool.js'
import { SpoolDesk } from '../../src/queue/spool-desk.js'
import { Instance } from '../../src/service/instance.js'
import { addressOf } from '../helpers/mail-world.js'
import { PROGRAM } from '../helpers/site.js'
import { oneLine, Workplace } from './workplace.js'

const BODY = Buffer.from('Subject: a test\nTo: ann@far.example\n\nhello\n')
const HOUR = 3_600_000
const STATE = 'mailtap-state'
const LATER: Trouble = {
  code: 450,
  status: '4.2.0',
  text: '450 4.2.0 not now',
  by: 'mx.far.example [192.0.2.9]',
  at: Date.now(),
}

function recipient(to: string, trouble: Trouble | null = null): QueuedRecipient {
  const address = addressOf(to)
  return {
    to: address,
    target: { kind: 'remote', address, of: address },
    notice: null,
    state: 'waiting',
    attempts: trouble === null ? 0 : 1,
    next: Date.now() + HOUR,
    trouble,
    delayReported: false,
    reported: false,
  }
}

function item(
  id: string,
  from: string | null,
  ...recipients: readonly QueuedRecipient[]
): QueueItem {
  return {
    id,
    received: Date.now() - 3 * HOUR,
    waitedMs: 3 * HOUR,
    from: from === null ? null : addressOf(from),
    client: { address: '192.0.2.1', helo: 'c', secure: false, user: null },
    smtputf8: false,
    eightBit: false,
    requireTls: false,
    reports: null,
    size: BODY.length,
    lines: 4,
    held: false,
    recipients,
  }
}

const MAILS = [
  item(
    'M1',
    'joe@example.com',
    recipient('ann@far.example', LATER),
    recipient('ben@far.example', LATER),
  ),
  { ...item('M2', null, recipient('cy@near.example')), held: true },
]

const open = (place: Workplace): Promise<DiskSpool> =>
  DiskSpool.open(place.file(`${STATE}/spool`), {
    laneOf: () => 'one',
    maxRetryMs: HOUR,
    log: silent,
  })

/** A place where two mails wait. */
async function withMail(): Promise<Workplace> {
  const place = await Workplace.withFiles()
  const route = `[[relay.route]]\nname = "far"\nrecipient_domain = "far.example"\nvia = ["mx"]\n`
  const relay = `[relay]\nvia = ["smtp://192.0.2.77"]\ntls = "may"\n${route}`
  await place.write('mailtap.toml', `${await place.read('mailtap.toml')}${relay}`)
  await mkdir(place.file(STATE), { mode: 0o700 })
  const spool = await open(place)
  for (const each of MAILS) await spool.add(each, fromBuffer(BODY))
  spool.close()
  return place
}

const STATUS: ServerStatus = {
  version: '1.2.3',
  pid: 7,
  uptime: 125,
  listeners: [{ protocol: 'smtp', endpoint: '127.0.0.1:25' }],
  queue: { messages: 2 },
}

/** Of a server that has no mail. */
const deskWithout = (): SpoolDesk =>
  new SpoolDesk({
    spool: new MemorySpool({ laneOf: () => 'one', maxRetryMs: HOUR }),
    laneOf: () => 'one',
    kick: () => {},
    report: async () => {},
    log: silent,
  })

/** The queue and the control socket of a server, in this process. */
async function running(place: Workplace, reload = async (): Promise<void> => {}) {
  const instance = new Instance(place.file(STATE))
  await instance.start()
  const spool = await open(place)
  const kicks: string[] = []
  const desk = new SpoolDesk({
    spool,
    laneOf: () => 'asked the server',
    kick: () => kicks.push('kick'),
    report: async () => {},
    log: silent,
  })
  const routes = controlRoutes({ status: () => STATUS, reload, queue: desk })
  const control = new ControlServer({ path: controlSocket(place.file(STATE)), routes, log: silent })
  await control.start()
  onTestFinished(async () => {
    await control.stop()
    spool.close()
    await instance.stop()
  })
  return { spool, kicks }
}

describe.each(['without a server', 'with a server'])('mailtap queue, %s', (circumstances) => {
  const runs = circumstances === 'with a server'
  let place: Workplace
  let kicks: readonly string[] = []
  beforeEach(async () => {
    place = await withMail()
    if (runs) ({ kicks } = await running(place))
  })
  const queue = (...args: readonly string[]) => place.mailtap(['queue', ...args])
  const ids = async (...args: readonly string[]): Promise<string[]> => {
    const { out } = await queue('list', '--json', ...args)
    return (JSON.parse(out) as { id: string }[]).map(({ id }) => id).toSorted()
  }

  test('list tells what waits, for people and for programs', async () => {
    const { code, out, err } = await queue('list', '--from', 'joe@example.com')
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(
      /^M1\twaiting\t3h\t\d+\tjoe@example\.com\n\tann@far\.example\twaiting, tried 1x/,
    )
    expect(out).toContain('mx.far.example [192.0.2.9] said: 450 4.2.0 not now')
    expect(out).toMatch(/\n1 message\n$/)
    const json = await queue('list', 'M2', '--json')
    expect(JSON.parse(json.out)).toMatchObject([
      { id: 'M2', state: 'held', from: null, recipients: [{ to: 'cy@near.example', attempts: 0 }] },
    ])
    expect(await ids()).toEqual(['M1', 'M2'])
    expect(await ids('--older-than', '2h', '--domain', 'far.example')).toEqual(['M1'])
    expect(await ids('--older-than', '4h')).toEqual([])
  })

  test('show tells all of one message, its header and its bytes', async () => {
    const shown = await queue('show', 'M1', '--header')
    expect(shown.out).toMatch(/ben@far\.example.*\n\nSubject: a test\nTo: ann@far\.example\n$/)
    expect((await queue('show', 'M1', '--raw')).out).toBe(BODY.toString())
    const none = await queue('show', 'M9')
    expect([none.code, oneLine(none)]).toEqual([65, 'no message M9 waits'])
  })

  test('route tells the way that it would go now', async () => {
    const { out } = await queue('route', '--to', 'ann@far.example')
    const lane = runs ? 'asked the server' : 'mx:far:far.example'
    expect(out).toBe(`M1\tann@far.example\tann@far.example\t${lane}\n`)
  })

  test('drop and bounce take out what is meant, and nothing in a dry run', async () => {
    const dry = await queue('drop', '--to', 'ben@far.example', '-n')
    expect([dry.code, dry.out]).toEqual([0, 'M1 would be dropped: ben@far.example\n'])
    expect((await queue('bounce', '--to', 'ann@far.example', '--json')).out).toContain('"done"')
    expect((await queue('drop', 'M2')).out).toBe('M2 dropped: cy@near.example\n')
    expect(await ids()).toEqual(['M1'])
    const [left] = JSON.parse((await queue('list', '--json')).out) as [{ recipients: object[] }]
    expect(left.recipients).toMatchObject([
      { state: 'failed', trouble: { status: '5.0.0', text: 'bounced by the administrator' } },
      { state: 'waiting' },
    ])
  })

  test('hold and release are durable, and flush says when mail leaves', async () => {
    expect((await queue('release', '--state', 'held')).code).toBe(0)
    expect((await queue('hold', 'M1')).out).toBe('M1 held: ann@far.example, ben@far.example\n')
    expect(await ids('--state', 'held')).toEqual(['M1'])
    const flush = await queue('flush')
    expect([flush.code, flush.out]).toEqual([0, 'M2 tried now: cy@near.example\n'])
    if (runs) expect(kicks.length).toBeGreaterThan(0)
    else expect(oneLine(flush)).toContain('no server runs: mail leaves when it does')
  })

  test('wants to hear that all is meant, and which messages there are', async () => {
    for (const verb of ['drop', 'bounce', 'hold', 'release']) {
      const silently = await queue(verb)
      expect([silently.code, oneLine(silently)]).toEqual([64, expect.stringContaining('which')])
    }
    const both = await queue('drop', '--all', 'M1')
    expect([both.code, oneLine(both)]).toEqual([64, expect.stringContaining('either')])
    const unknown = await queue('drop', 'M9')
    expect([unknown.code, unknown.err]).toEqual([
      65,
      expect.stringContaining('M9: no such message'),
    ])
    expect(await ids()).toEqual(['M1', 'M2'])
    expect((await queue('drop', 'ALL')).code).toBe(0)
    expect((await queue('list')).out).toBe('nothing waits\n')
    expect((await queue('drop', '--all')).out).toBe('nothing of what waits fits\n')
  })

  test('mailq has the form that scripts read', async () => {
    await symlink(PROGRAM, place.file('mailq'))
    const { code, out } = await place.run(['mailq', '-C', place.file('mailtap.toml')])
    expect(code).toBe(0)
    const lines = out.split('\n')
    expect(lines[0]).toBe('-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------')
    expect(lines.at(-2)).toBe('-- 0 Kbytes in 2 Requests.')
    const blocks = lines.slice(1, -3).join('\n').split('\n\n').toSorted()
    expect(blocks[0]).toMatch(
      /^M1 {15}\d\d {2}\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d joe@example\.com\n *\(mx\.far\.example \[192\.0\.2\.9\] said: 450 4\.2\.0 not now\)\n {41}ann@far\.example\n {41}ben@far\.example$/,
    )
    expect(blocks[1]).toMatch(/^M2! .* MAILER-DAEMON\n {41}cy@near\.example$/)
    await queue('drop', '--all')
    expect((await place.run(['mailq', '-C', place.file('mailtap.toml')])).out).toBe(
      'Mail queue is empty\n',
    )
  })
})

describe('mailtap queue', () => {
  test('says which message is being delivered now, and leaves it', async () => {
    const place = await withMail()
    const { spool } = await running(place)
    await spool.change('M1', (each) => ({
      ...each,
      recipients: each.recipients.map((one) => ({ ...one, next: 0 })),
    }))
    const jobs = await spool.claim(1, HOUR, () => 1)
    expect(jobs.map((job) => job.item.id)).toEqual(['M1'])
    expect((await place.mailtap(['queue', 'list', '--mailq', 'M1'])).out).toContain('\nM1* ')
    const busy = await place.mailtap(['queue', 'drop', 'M1'])
    expect([busy.code, busy.err]).toEqual([75, expect.stringContaining('being delivered now')])
  })

  test('changes nothing under a server that takes no questions', async () => {
    const place = await withMail()
    const instance = new Instance(place.file(STATE))
    await instance.start()
    onTestFinished(() => instance.stop())
    const drop = await place.mailtap(['queue', 'drop', '--all'])
    expect([drop.code, oneLine(drop)]).toEqual([75, expect.stringContaining('has the queue')])
    expect((await place.mailtap(['queue', 'list'])).out).toMatch(/\n2 messages\n$/)
  })

  test('makes no spool where there is none', async () => {
    const place = await Workplace.withFiles()
    expect((await place.mailtap(['queue', 'list', '--mailq'])).out).toBe('Mail queue is empty\n')
    expect((await place.mailtap(['queue', 'flush'])).code).toBe(0)
    expect(place.has(STATE)).toBe(false)
  })

  test.runIf(process.getuid?.() === 0)('is not for others than the owner', async () => {
    const place = await withMail()
    await running(place)
    const list = await place.mailtap(['queue', 'list'], { uid: 65_534 })
    expect([list.code, list.out]).toEqual([77, ''])
  })
})

describe('a word with the server', () => {
  test('reaches a socket whose path is too long for one', async () => {
    const place = await withMail()
    const state = `${'long'.repeat(40)}/state`
    await mkdir(place.file(state), { recursive: true, mode: 0o700 })
    await place.write('mailtap.toml', `state = "${state}"\n${await place.read('mailtap.toml')}`)
    expect((await place.mailtap(['status'])).code).toBe(69)
    const routes = controlRoutes({
      status: () => STATUS,
      reload: async () => {},
      queue: deskWithout(),
    })
    const server = new ControlServer({
      path: controlSocket(place.file(state)),
      routes,
      log: silent,
    })
    await server.start()
    expect((await place.mailtap(['status'])).code).toBe(0)
    expect(place.has(`${state}/control.sock`)).toBe(true)
    await server.stop()
    expect(place.has(`${state}/control.sock`)).toBe(false)
  })

  test('status tells what it says', async () => {
    const place = await withMail()
    await running(place)
    const { code, out } = await place.mailtap(['status'])
    expect([code, out]).toEqual([
      0,
      'mailtap 1.2.3 runs as process 7 for 2m\nsmtp\t127.0.0.1:25\n2 messages wait\n',
    ])
    expect(JSON.parse((await place.mailtap(['status', '--json'])).out)).toEqual(STATUS)
  })

  test('reload tells why it was refused', async () => {
    const place = await withMail()
    let good = true
    await running(place, async () => {
      if (!good) throw new ControlRefusal(422, ['mailtap.toml:3:1: wrong'])
    })
    expect((await place.mailtap(['reload'])).code).toBe(0)
    good = false
    const bad = await place.mailtap(['reload'])
    expect([bad.code, oneLine(bad)]).toEqual([78, 'mailtap.toml:3:1: wrong'])
  })

  test.each(['status', 'reload'])('%s says that no server runs', async (word) => {
    const place = await withMail()
    const none = await place.mailtap([word])
    expect([none.code, oneLine(none)]).toEqual([69, expect.stringContaining('no server runs')])
  })
})
