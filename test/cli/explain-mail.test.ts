import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { GreylistFilter } from '../../src/filter/greylist.js'
import { GreylistMemory } from '../../src/filter/greylist-memory.js'
import { silent } from '../../src/log/log.js'
import { Client } from '../helpers/client.js'
import { addressOf, envelopeOf } from '../helpers/mail-world.js'
import { Site } from '../helpers/site.js'
import { oneLine, type Outcome, Workplace } from './workplace.js'

const ALIASES = [
  'sales: alice+x, "|/bin/cat -u"',
  'far: joe@far.example',
  'gone: :fail: moved, ask alice',
  'loop: pool',
  'pool: loop',
  'hole: :blackhole:\n',
].join('\n')
const JOE = ['--from', 'joe@far.example']
const STRANGER = '192.0.2.7'

interface Told {
  readonly steps: readonly Record<string, unknown>[]
  readonly verdict: string
  readonly reply: { readonly code: number; readonly status: string; readonly text: string }
}

/** example.com with alice, who has a password, and with bob and dora, who cannot log in; more in the config. */
async function site(...config: string[]): Promise<Workplace> {
  const place = await Workplace.withConfig('--submission', '127.0.0.1:0')
  await place.write('Maildir/.aliases', ALIASES)
  await place.write('Maildir/.users/alice', '{PLAIN}sec ret\n')
  await place.write('Maildir/.users/bob', '!\n')
  await place.write('Maildir/.users/dora', 'password = "{PLAIN}x"\ndisabled = true\n')
  await place.write('mailtap.toml', [await place.read('mailtap.toml'), ...config].join('\n'))
  return place
}

const explain = (place: Workplace, ...args: string[]): Promise<Outcome> =>
  place.mailtap(['explain', ...args])

async function told(place: Workplace, ...args: string[]): Promise<Told> {
  return JSON.parse((await explain(place, ...args, '--json')).out) as Told
}

const stepsOf = ({ steps }: Told, step: string): Record<string, unknown>[] =>
  steps.flatMap(({ step: kind, ...facts }) => (kind === step ? [facts] : []))

/** Every file below, with its content. */
async function tree(path: string): Promise<Record<string, string>> {
  const found = await readdir(path, { recursive: true, withFileTypes: true })
  const files = found.filter((entry) => entry.isFile())
  const names = files.map(({ parentPath, name }) => join(parentPath, name))
  const pairs = names.map(async (name) => [name, await readFile(name, 'latin1')])
  return Object.fromEntries((await Promise.all(pairs)) as [string, string][])
}

describe('explain', () => {
  test('prints what is said and each decision behind it', async () => {
    const place = await site()
    const args = ['--to', 'sales@example.com', '--ip', STRANGER, '--helo', 'mx.far.example']
    const { code, out } = await explain(place, ...JOE, ...args, '--size', '1000')
    const at = `${place.file('Maildir/.aliases')}:1`
    const lines = out.split('\n').slice(0, -1)
    expect([code, lines.slice(0, -2)]).toEqual([
      0,
      [
        `client ${STRANGER} at smtp (127.0.0.1:0)`,
        '  connections from 192.0.2.7/32: at most 50 at once, 600 new ones a minute',
        '  connections from 192.0.2.0/24: at most 200 at once, 2400 new ones a minute',
        expect.stringMatching(/^S: 220 \S+ ESMTP mailtap$/),
        'C: EHLO mx.far.example',
        expect.stringMatching(/^S: 250 \S+$/),
        'C: MAIL FROM:<joe@far.example> SIZE=1000',
        '  rate of smtp message 192.0.2.7/32: at most 600 a minute',
        '  disk: room',
        'S: 250 2.1.0 Sender ok',
        'C: RCPT TO:<sales@example.com>',
        '  rate of smtp recipient 192.0.2.7/32: at most 6000 a minute',
        '  domain example.com: ours',
        `  alias sales@example.com (${at})`,
        '    tag alice@example.com',
        '    -> mailbox of alice@example.com',
        `    -> program /bin/cat -u (${at})`,
        'S: 250 2.1.5 Recipient ok',
        'C: DATA',
        '  disk: room',
        'S: 354 Send the message, end with CR LF . CR LF',
        'C: (the message)',
        '  filter loop: looks at the message, not asked here',
        '  filter headers: looks at the message, not asked here',
      ],
    ])
    expect(lines.slice(-2)).toEqual([
      expect.stringMatching(/^S: 250 2\.0\.0 Ok [0-9A-V]{12}$/),
      expect.stringMatching(/^accepted: 250 2\.0\.0 Ok [0-9A-V]{12}$/),
    ])
  })

  test.each([
    ['ghost@example.com', 67, 'refused: 550 5.1.1 no such user here'],
    ['gone@example.com', 67, 'refused: 550 5.1.1 moved, ask alice'],
    ['dora@example.com', 67, 'refused: 550 5.2.1 this mailbox is disabled'],
    ['joe@far.example', 65, 'refused: 550 5.7.1 relaying denied'],
    ['far@example.com', 75, 'later: 451 4.3.5 this address is misconfigured'],
    ['loop@example.com', 75, 'later: 451 4.3.5 this address is misconfigured'],
    ['a b', 65, 'refused: 501 5.1.3 Bad recipient address syntax'],
    ['a\u0007@example.com', 65, 'refused: 501 5.5.2 Control characters'],
  ])('ends for mail to %j with %d', async (to, code, words) => {
    const outcome = await explain(await site(), ...JOE, '--to', to)
    expect([outcome.code, oneLine(outcome)]).toEqual([code, expect.stringContaining(words)])
    expect(outcome.out).toContain(`\n${words}`)
  })

  test.each([
    'postmaster',
    'hole@example.com',
    'alice+any@EXAMPLE.com',
    '@relay.example:bob@example.com',
  ])('takes mail to %s', async (to) => {
    expect((await explain(await site(), '--from', '<>', '--to', to)).code).toBe(0)
  })

  test('tells as JSON what a full mailbox holds, and writes nothing into it', async () => {
    const place = await site('[mailboxes]\nquota = "2 messages"')
    for (const name of ['1.a.x', '2.b.x']) {
      await place.write(`Maildir/alice/new/${name}`, 'Subject: x\n\nx\n')
    }
    for (const part of ['cur', 'tmp']) await mkdir(place.file(`Maildir/alice/${part}`))
    const before = await tree(place.path)
    const full = await told(place, ...JOE, '--to', 'alice@example.com')
    expect(await tree(place.path)).toEqual(before)
    const reply = { code: 452, status: '4.2.2', text: expect.stringContaining('is full') as string }
    const quota = { bytes: null, messages: 2 }
    const usage = { bytes: 28, messages: 2 }
    expect(stepsOf(full, 'quota')).toEqual([{ user: 'alice@example.com', quota, usage, reply }])
    expect(full).toMatchObject({ verdict: 'later', reply })
    const empty = await told(place, ...JOE, '--to', 'bob@example.com')
    const nothing = { bytes: 0, messages: 0 }
    expect(stepsOf(empty, 'quota')).toEqual([{ user: 'bob@example.com', quota, usage: nothing }])
    expect(empty.verdict).toBe('accepted')
  })

  test('tells why the log would say that an address is broken', async () => {
    const { steps } = await told(await site(), ...JOE, '--to', 'loop@example.com')
    expect(steps).toContainEqual(
      expect.objectContaining({
        step: 'log',
        event: 'smtp refused',
        fields: expect.objectContaining({ reason: expect.stringContaining('in a circle') }),
      }),
    )
  })

  test('knows the size limit, and who is trusted', async () => {
    const place = await site('[limits]\nmessage_size = "1 MB"\ntrusted = ["192.0.2.0/24"]')
    const to = ['--to', 'alice@example.com', '--ip', `::ffff:${STRANGER}`]
    const large = await explain(place, ...JOE, ...to, '--size', '2000000')
    expect([large.code, oneLine(large)]).toEqual([65, expect.stringContaining('552 5.3.4')])
    const trusted = await told(place, ...JOE, ...to)
    expect(stepsOf(trusted, 'connections')).toEqual([{ limits: [] }])
    expect(stepsOf(trusted, 'rate')).toEqual([])
    expect(stepsOf(trusted, 'client')).toMatchObject([{ ip: STRANGER }])
  })

  test.each([
    [['--to', 'a@b.example'], 'explain needs --from ADDRESS'],
    [['--from', 'a@b.example'], 'explain needs --to ADDRESS'],
    [['--from', 'a', '--to', 'b', '--ip', 'localhost'], "'localhost' is no IP address"],
    [['--from', 'a', '--to', 'b', '--size', '1e3'], "'1e3' is no number of octets"],
  ])('refuses %j', async (args, words) => {
    const outcome = await explain(await Workplace.make(), ...args)
    expect([outcome.code, oneLine(outcome)]).toEqual([64, expect.stringContaining(words)])
  })
})

describe('explain --user', () => {
  const TO_BOB = ['--to', 'bob@example.com', '--ip', STRANGER]

  test.each([
    ['alice', 'alice@example.com', 0, '250 2.0.0'],
    ['alice@example.com', 'Sales@example.com', 0, '250 2.0.0'],
    ['alice', 'bob@example.com', 65, '553 5.7.1 alice@example.com may not send as this address'],
    ['alice', 'joe@far.example', 65, '553 5.7.1'],
    ['bob', 'bob@example.com', 67, '535 5.7.8'],
    ['dora', 'dora@example.com', 67, '535 5.7.8'],
    ['nobody', 'alice@example.com', 67, '535 5.7.8'],
  ])('%s sends as %s: ends with %d', async (user, from, code, words) => {
    const outcome = await explain(await site(), '--user', user, '--from', from, ...TO_BOB)
    expect([outcome.code, outcome.out]).toEqual([code, expect.stringContaining(`: ${words}`)])
  })

  test('tells which account it is and what it may do, and no filter keeps it waiting', async () => {
    const place = await site('[submission]\nany_sender = true\n[filter.greylist]\nenabled = true')
    const result = await told(place, '--user', 'alice', ...JOE, ...TO_BOB)
    expect(stepsOf(result, 'account')).toEqual([
      { user: 'alice@example.com', state: 'good', anySender: true },
    ])
    expect(stepsOf(result, 'client')).toMatchObject([{ port: 'submission', secure: true }])
    expect(result.verdict).toBe('accepted')
    expect(stepsOf(result, 'filter')).toContainEqual({ filter: 'greylist', says: 'exempt' })
    const blocked = await told(place, '--user', 'dora', ...JOE, ...TO_BOB)
    expect(stepsOf(blocked, 'account')).toMatchObject([{ state: 'disabled' }])
  })

  test('does not relay', async () => {
    const args = ['--user', 'alice', '--from', 'alice@example.com', '--to', 'joe@far.example']
    const outcome = await explain(await site(), ...args)
    expect([outcome.code, oneLine(outcome)]).toEqual([65, expect.stringContaining('550 5.7.1')])
  })
})

describe('explain and filters', () => {
  const ARGS = [...JOE, '--to', 'bob@example.com', '--ip', STRANGER]
  const GREYLIST = '[filter.greylist]\nenabled = true\ndelay = 60'

  test('greylisting says what it would say, again and again, and remembers nothing', async () => {
    const place = await site(GREYLIST)
    const before = await tree(place.path)
    for (let times = 0; times < 2; times++) {
      const { code, out } = await explain(place, ...ARGS)
      expect([code, out]).toEqual([
        75,
        expect.stringMatching(/^ {2}filter greylist: 451 4\.7\.1 /m),
      ])
    }
    expect(await tree(place.path)).toEqual(before)
    const exempt = await explain(place, ...JOE, '--to', 'postmaster@example.com', '--ip', STRANGER)
    expect([exempt.code, exempt.out]).toEqual([0, expect.stringContaining('does not look at this')])
  })

  test('greylisting knows whom the server knows, and leaves its file alone', async () => {
    const place = await site(GREYLIST)
    const state = place.file('mailtap-state')
    await mkdir(state, { recursive: true })
    const path = join(state, 'greylist')
    const now = (): number => Date.now() - 120_000
    const memory = new GreylistMemory({ path, log: silent, now })
    const filter = new GreylistFilter({ delay: 60, trustAfter: 5 }, memory)
    const first = filter.recipient(envelopeOf('joe@far.example'), addressOf('bob@example.com'))
    await expect(first).rejects.toMatchObject({ code: 451 })
    await memory.close()
    const before = await readFile(path, 'latin1')
    const { code, out } = await explain(place, ...ARGS)
    expect([code, out]).toEqual([0, expect.stringContaining('  filter greylist: passes\n')])
    expect(await readFile(path, 'latin1')).toBe(before)
  })

  test('a DNS list is asked', async () => {
    const server = await nameServer()
    const dnsbl = (action: string): string =>
      `[filter.dnsbl]\nlists = ["bl.example"]\nresolvers = ["${server}"]\naction = "${action}"`
    const refused = await told(await site(dnsbl('reject')), ...ARGS)
    const reply = { code: 550, status: '5.7.1', text: `[${STRANGER}] is listed by bl.example` }
    expect(stepsOf(refused, 'filter')).toEqual([{ filter: 'dnsbl', says: 'refuse', reply }])
    expect(refused).toMatchObject({ verdict: 'refused', reply })
    const marked = await told(await site(dnsbl('mark')), ...ARGS)
    expect(stepsOf(marked, 'filter')).toContainEqual({ filter: 'dnsbl', says: 'junk' })
    expect(marked.verdict).toBe('accepted')
  })

  test('a filter that needs the message is named and not asked', async () => {
    const milter = '[filter.milter]\nendpoints = ["unix:/nowhere/milter"]'
    const result = await told(await site(milter, '[filter.rspamd]'), ...ARGS)
    const names = ['loop', 'headers', 'rspamd', 'milter /nowhere/milter']
    expect(stepsOf(result, 'filter')).toEqual(
      names.map((filter) => ({ filter, says: 'needs the message' })),
    )
  })
})

test('explain says word for word what the running server says', async () => {
  const real = await Site.create()
  onTestFinished(() => real.remove())
  await real.users('alice')
  await real.configure('[domains."b.example"]\nalias_of = "example.com"')
  const { ports } = await real.start()
  for (const to of ['alice@b.example', 'ghost@example.com', 'joe@far.example', 'no address']) {
    const args = ['explain', ...JOE, '--to', to, '--helo', 'x', '--json']
    const { stdout } = await real.command(args)
    const explained = JSON.parse(stdout.toString()) as Told
    const replies = stepsOf(explained, 'reply').map(({ status, text }) => ({ status, text }))
    expect(replies[3]).toEqual(await realReply(ports.smtp, to))
  }
})

/** What the server says to RCPT. */
async function realReply(port: number, to: string): Promise<{ status: string; text: string }> {
  const client = await Client.to(port)
  client.send(`EHLO x\r\nMAIL FROM:<joe@far.example>\r\nRCPT TO:<${to}>\r\nQUIT\r\n`)
  const replies = (await client.end()).split('\r\n').filter((line) => /^\d{3} /.test(line))
  const [, status = '', text = ''] = /^\d{3} (\S+) (.*)$/.exec(replies[3]!) ?? []
  return { status, text }
}

/** Lists every address that it is asked for, without giving a reason. @returns where it listens */
async function nameServer(): Promise<string> {
  const socket: Socket = createSocket('udp4', (query, { port, address }) => {
    socket.send(answerTo(query), port, address)
  })
  onTestFinished(() => void socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return `127.0.0.1:${socket.address().port}`
}

/** RFC 1035 section 4.1: 127.0.0.2 to a question for A, else nothing. */
function answerTo(query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5
  const isA = query.readUInt16BE(end - 4) === 1
  const head = Buffer.from(query.subarray(0, end))
  head.writeUInt16BE(0x8580, 2)
  head.writeUInt16BE(isA ? 1 : 0, 6)
  head.writeUInt16BE(0, 10)
  const record = Buffer.from('c00c000100010000003c00047f000002', 'hex')
  return isA ? Buffer.concat([head, record]) : head
}
