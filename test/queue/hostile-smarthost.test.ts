/**
 * A smarthost that misbehaves at every stage and then works (reliability Q5), seen through the whole
 * queue: no mail is lost, none bounces without a reason, and what was refused for good bounces once.
 */
import { describe, expect, it } from 'vitest'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import { ACTIONS, offers, RCPT, type Stage, STAGES, WAITS } from '../helpers/hostile-script.js'
import { scriptedServer, type ScriptedServer } from '../helpers/smtp-script.js'
import { ALICE, PATIENCE, smarthostStage } from './smarthost-stage.js'

const A = 'a@x.example'
const B = 'b@x.example'
const TEXT = 'Subject: x\n\n.dot\nend\n'
const ON_THE_WIRE = 'Subject: x\r\n\r\n..dot\r\nend'
/** Milliseconds after which a silent server has been silent for too long. */
const SILENCE_MS = 100
const HARMLESS = ['octets that are no text', 'a status without text']

const pem = await makeSelfSigned('mx.test')
const OFFERS = offers(true)
const WORKS = {
  hello: '220 mx.test ESMTP',
  EHLO: OFFERS,
  HELO: '250 mx.test',
  STARTTLS: '220 2.0.0 go',
  AUTH: '235 2.7.0 welcome',
  MAIL: '250 2.1.0 ok',
  [RCPT]: '250 2.1.5 ok',
  DATA: '354 go on',
  '.': '250 2.0.0 taken',
  QUIT: '221 2.0.0 bye',
}

/** Who is refused for good: a 5xx about the mail, not one about us. */
function refused(stage: Stage, action: string): readonly string[] {
  if (action !== '5xx' || ['hello', 'EHLO', 'STARTTLS', 'AUTH', 'QUIT'].includes(stage)) return []
  return stage === RCPT ? [B] : [A, B]
}

/** True if nobody notices until the mail has been taken. */
const isHarmless = (stage: Stage, action: string): boolean =>
  stage === 'QUIT' || (HARMLESS.includes(action) && stage !== 'EHLO')

/** What it took. A lone dot ends a DATA that was pipelined behind recipients of whom none was taken. */
const contents = ({ taken }: ScriptedServer): string[] => taken.filter((text) => text !== '')

const cells = STAGES.flatMap((stage) => Object.keys(ACTIONS).map((name) => [stage, name] as const))

describe('Q5: a smarthost that answers', () => {
  it.each(cells)('to %s with %s loses nothing and bounces nothing falsely', async (stage, name) => {
    const action = ACTIONS[name]!(stage)
    const hello = stage === 'EHLO' ? { HELO: action } : {}
    const script = { ...WORKS, ...hello, [stage]: action }
    const server = await scriptedServer({ pem, script })
    const patience = name === 'silence' ? { [WAITS[stage]]: SILENCE_MS } : {}
    const way = await smarthostStage(server.port, { patience })
    expect(await way.put([A, B], TEXT)).toEqual([250, 250])
    await expect.poll(() => way.tries().length, PATIENCE).toBeGreaterThanOrEqual(2)
    server.change(WORKS)
    await way.emptied()

    const bounced = refused(stage, name)
    const reports = await way.mailbox('alice')
    expect(reports).toHaveLength(bounced.length > 0 ? 1 : 0)
    for (const to of [A, B]) {
      const ends = way.tries().filter((end) => end.startsWith(to) && !end.endsWith('deferred'))
      expect(ends, to).toEqual([`${to} ${bounced.includes(to) ? 'bounced' : 'sent'}`])
      if (bounced.includes(to)) expect(reports[0]).toContain(`Final-Recipient: rfc822; ${to}\n`)
    }
    const copies = contents(server)
    expect(new Set(copies)).toEqual(new Set(bounced.length < 2 ? [ON_THE_WIRE] : []))
    // Where one was taken and the other deferred, that one comes in a second transaction.
    expect(copies.length).toBeLessThanOrEqual(2)
    if (isHarmless(stage, name)) expect(way.tries()).toEqual([`${A} sent`, `${B} sent`])
  })

  it('with a reply of control characters: what a report says of it is printable', async () => {
    const reply = '550-5.1.1 \x1b[2J\xff\r\n550 5.1.1 <b>\u0000</b>'
    const server = await scriptedServer({ pem, script: { ...WORKS, [RCPT]: reply } })
    const stage = await smarthostStage(server.port)
    await stage.put([B], TEXT)
    await stage.emptied()
    const [report = ''] = await stage.mailbox('alice')
    expect(report).toContain('Diagnostic-Code: smtp; 550 5.1.1 ')
    // oxlint-disable-next-line no-control-regex -- control characters are what it is about
    expect(report).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\uffff]/)
  })
})

describe('mail without a sender (Q3)', () => {
  it('that fails is never answered: the postmaster hears of it, and nothing goes out', async () => {
    const server = await scriptedServer({ pem, script: { ...WORKS, [RCPT]: '550 5.1.1 no' } })
    const stage = await smarthostStage(server.port)
    expect(await stage.put([B], TEXT, null)).toEqual([250])
    await stage.emptied()
    expect(await stage.mailbox('postmaster')).toHaveLength(1)
    expect(contents(server)).toEqual([])
    expect(server.commands().filter((line) => line.startsWith('MAIL'))).toHaveLength(1)
  })

  it('and whose postmaster cannot be reached either ends in the log', async () => {
    const server = await scriptedServer({ pem, script: { ...WORKS, MAIL: '550 5.1.0 no' } })
    const stage = await smarthostStage(server.port)
    await stage.put([B], TEXT, 'joe@far.example')
    await stage.emptied()
    // To B, and then the report to joe: that one failed as well, and no report follows on it.
    expect(server.commands().filter((line) => line.startsWith('MAIL'))).toEqual([
      expect.stringContaining('joe@far.example'),
      expect.stringContaining('<>'),
    ])
    expect(await stage.mailbox('postmaster')).toHaveLength(1)
    expect(await stage.mailbox('alice')).toEqual([])
  })
})

describe('a smarthost that is this server itself (Q8)', () => {
  it('gets nothing: the sender hears of the loop (5.4.6)', async () => {
    const server = await scriptedServer({ pem, script: WORKS })
    const stage = await smarthostStage(server.port, { isOurselves: () => true })
    await stage.put([B], TEXT)
    await stage.emptied()
    expect(server.connections).toEqual([])
    const [report] = await stage.mailbox('alice')
    expect(report).toContain('Status: 5.4.6\n')
    expect(stage.log.of('relay server is this one')).toHaveLength(1)
  })
})

describe('a clock that jumps (Q10)', () => {
  it.each([10, -10])(
    'by %d years while mail waits expires nothing and forgets nothing',
    async (years) => {
      const server = await scriptedServer({ pem, script: { ...WORKS, MAIL: '451 4.3.0 later' } })
      let offset = 0
      const clock = {
        now: () => Date.now() + offset,
        steady: () => Math.floor(performance.now()),
      }
      const stage = await smarthostStage(server.port, { clock })
      await stage.put([A], TEXT, ALICE)
      await expect.poll(() => stage.tries().length, PATIENCE).toBeGreaterThanOrEqual(1)
      offset = years * 365 * 86_400_000
      const before = stage.tries().length
      await expect.poll(() => stage.tries().length, PATIENCE).toBeGreaterThan(before + 1)
      server.change(WORKS)
      await stage.emptied()
      expect(stage.tries().at(-1)).toBe(`${A} sent`)
      expect(contents(server)).toEqual([ON_THE_WIRE])
      expect(await stage.mailbox('alice')).toEqual([])
    },
  )
})
