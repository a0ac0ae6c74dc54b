import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import { describe, expect, it, onTestFinished } from 'vitest'
import { composeReport } from '../../src/dsn/compose.js'
import type { Report, ReportedRecipient } from '../../src/dsn/dsn.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { runProgram, testWith } from '../helpers/programs.js'

const ARRIVED = Date.parse('2026-11-20T12:00:00Z')
const NOW = Date.parse('2026-11-20T12:05:00Z')
const MAIL = `Received: from client.example ([192.0.2.7])
\tby mail.example.com (mailtap) with ESMTP id ABC;
\tFri, 20 Nov 2026 12:00:00 +0000
From: alice@example.com
To: bob@far.example
Subject: lunch
Message-ID: <1@client.example>

At noon?
`

const bob: ReportedRecipient = {
  to: { local: 'bob', domain: 'far.example' },
  originalRecipient: null,
  action: 'failed',
  status: '5.1.1',
  remote: 'mx.far.example [192.0.2.25]',
  diagnostic: '550 5.1.1 no such user',
  lastAttempt: NOW - 1_000,
  retryUntil: null,
}

const about: Report = {
  id: 'REPORT1',
  about: 'ABC',
  to: { local: 'alice', domain: 'example.com' },
  hostname: 'mail.example.com',
  arrived: ARRIVED,
  now: NOW,
  from: 'client.example',
  wish: null,
  utf8: false,
  recipients: [bob],
}

const HEADERS = 'text/rfc822-headers'
const FULL = { content: 'full', envelopeId: null } as const
const HDRS = { content: 'headers', envelopeId: null } as const

const message = (text: string): Message => fromBuffer(Buffer.from(text, 'latin1'))

async function bytesOf(written: Message): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of written.open()) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  expect(bytes.length).toBe(written.size)
  expect(bytes.filter((byte) => byte === 10)).toHaveLength(written.lines)
  return bytes
}

const composed = async (report: Partial<Report>, original = message(MAIL)): Promise<Buffer> =>
  bytesOf(await composeReport({ ...about, ...report }, original))

interface Part {
  readonly header: string
  readonly body: string
}

/** Cut by hand: what is between the delimiters. */
function partsOf(bytes: Buffer): { head: string; parts: Part[] } {
  const text = bytes.toString('latin1')
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1] ?? 'none'
  const [front = '', ...rest] = text.split(`--${boundary}`)
  const last = rest.pop()
  expect(last).toBe('--\n')
  const parts = rest.map((part) => {
    const end = part.indexOf('\n\n')
    return { header: part.slice(1, end + 1), body: part.slice(end + 2, -1) }
  })
  return { head: front, parts }
}

/** Blocks of fields, unfolded. */
function blocksOf(body: string): [string, string][][] {
  return body.split('\n\n').map((block) =>
    block
      .trimEnd()
      .replace(/\n /g, ' ')
      .split('\n')
      .map((line) => {
        const colon = line.indexOf(': ')
        return [line.slice(0, colon), line.slice(colon + 2)]
      }),
  )
}

const ofType = (header: string): string => /^Content-Type: ([^;\n]+)/m.exec(header)?.[1] ?? ''
const encoding = (header: string): string => /^Content-Transfer-Encoding: (.+)$/m.exec(header)![1]!

/** What every mail server demands of every message. */
function expectSendable(bytes: Buffer): void {
  expect(bytes.includes(13)).toBe(false)
  expect(bytes.includes(0)).toBe(false)
  const longest = bytes
    .toString('latin1')
    .split('\n')
    .reduce((most, line) => Math.max(most, line.length), 0)
  expect(longest).toBeLessThanOrEqual(998)
}

describe('a report of a failure', () => {
  it('says what happened, to whom, why and what to do, and gives the mail back', async () => {
    const bytes = await composed({
      wish: { content: 'full', envelopeId: 'QQ+2B1' },
      recipients: [{ ...bob, originalRecipient: 'rfc822;bob+2Bnews@list.example' }],
    })
    expect(bytes.toString('latin1').replace(/=_[0-9a-f]{40}/g, 'BOUNDARY'))
      .toBe(`From: Mail Delivery System <MAILER-DAEMON@mail.example.com>
To: <alice@example.com>
Subject: Undelivered mail returned to sender
Date: Fri, 20 Nov 2026 12:05:00 +0000
Message-ID: <REPORT1@mail.example.com>
In-Reply-To: <1@client.example>
References: <1@client.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="BOUNDARY"
Content-Transfer-Encoding: 7bit

--BOUNDARY
Content-Type: text/plain; charset=us-ascii
Content-Description: What happened
Content-Transfer-Encoding: 7bit

Your mail could not be delivered to bob@far.example.

This is the mail server mail.example.com. Your mail came here on Fri, 20 Nov
2026 12:00:00 +0000 and has the number ABC here.

<bob@far.example>
    There is no such address. Check its spelling, or ask for the right one.
    mx.far.example [192.0.2.25] said: 550 5.1.1 no such user

If that does not help, show this report to the administrator of your mail. A
program wrote this report. A part for programs follows, and the mail itself.

--BOUNDARY
Content-Type: message/delivery-status
Content-Description: Delivery report
Content-Transfer-Encoding: 7bit

Original-Envelope-Id: QQ+1
Reporting-MTA: dns; mail.example.com
Received-From-MTA: dns; client.example
Arrival-Date: Fri, 20 Nov 2026 12:00:00 +0000

Original-Recipient: rfc822; bob+news@list.example
Final-Recipient: rfc822; bob@far.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.far.example
Diagnostic-Code: smtp; 550 5.1.1 no such user
Last-Attempt-Date: Fri, 20 Nov 2026 12:04:59 +0000

--BOUNDARY
Content-Type: message/rfc822
Content-Description: Undelivered mail
Content-Transfer-Encoding: 7bit

${MAIL}
--BOUNDARY--
`)
  })

  it('is the same each time it is written', async () => {
    expect(await composed({})).toEqual(await composed({}))
    expect(await composed({ id: 'REPORT2' })).not.toEqual(await composed({}))
  })

  it('tells of nobody = is a fault of ours', async () => {
    await expect(composed({ recipients: [] })).rejects.toThrow('nobody')
  })

  it('leaves out what is not known', async () => {
    const unknown = { remote: null, diagnostic: null, lastAttempt: null, status: 'X' }
    const bytes = await composed({ from: '', recipients: [{ ...bob, ...unknown }] })
    expect(blocksOf(partsOf(bytes).parts[1]!.body)).toEqual([
      [
        ['Reporting-MTA', 'dns; mail.example.com'],
        ['Arrival-Date', 'Fri, 20 Nov 2026 12:00:00 +0000'],
      ],
      [
        ['Final-Recipient', 'rfc822; bob@far.example'],
        ['Action', 'failed'],
        ['Status', '5.0.0'],
      ],
    ])
  })

  it('calls nothing a reply of SMTP that is none', async () => {
    const bytes = await composed({ recipients: [{ ...bob, diagnostic: 'cannot be reached' }] })
    expect(bytes.toString()).toContain('\nDiagnostic-Code: x-mailtap; cannot be reached\n')
  })

  it('repeats no ENVID and no ORCPT that no client could have said', async () => {
    for (const bad of ['a+0AX: y', '', 'a=b', 'é']) {
      const wish = { content: null, envelopeId: bad }
      const originalRecipient = `rfc822;${bad}`
      const bytes = await composed({ wish, recipients: [{ ...bob, originalRecipient }] })
      expect(bytes.toString()).not.toMatch(/^Original-/m)
    }
  })
})

describe('the reason', () => {
  const told = async (one: Partial<ReportedRecipient>): Promise<string> =>
    partsOf(await composed({ recipients: [{ ...bob, diagnostic: null, ...one }] }))
      .parts[0]!.body.split('\n\n')[2]!
      .replace(/\s+/g, ' ')

  it('is told in plain words, by the code', async () => {
    expect(await told({ status: '5.2.2' })).toContain('This mailbox is full. Send the mail again')
    expect(await told({ status: '5.7.999' })).toContain('The mail was refused by a rule')
    expect(await told({ status: '5.0.0' })).toContain('The reason is not known.')
    const diagnostic = '550 go away'
    expect(await told({ status: '5.0.0', diagnostic, remote: null })).toContain(
      'The reason is what the server said. This server said: 550 go away',
    )
  })

  it('of what took too long is the time, and asks for nothing while it is tried', async () => {
    expect(await told({ status: '4.7.1' })).toContain('It was tried for a long time')
    const delayed = { action: 'delayed', retryUntil: null } as const
    expect(await told({ ...delayed, status: '4.7.1' })).toBe(
      '<bob@far.example> The server of this address does not take the mail now.',
    )
    expect(await told({ ...delayed, status: '4.2.2' })).toContain('This mailbox is full now.')
  })
})

describe('what is given back', () => {
  const big = message(`${MAIL}${'x'.repeat(70)}\n`.padEnd(60_000, `${'y'.repeat(70)}\n`))
  const cases: [string, Partial<Report>, Message, string][] = [
    ['a small failed mail, whole', {}, message(MAIL), 'message/rfc822'],
    ['its header, if that was asked for', { wish: HDRS }, message(MAIL), HEADERS],
    ['the header of a large one', {}, big, HEADERS],
    ['the header of a large one, whatever was asked', { wish: FULL }, big, HEADERS],
    [
      'the header where it is delayed',
      { wish: FULL, recipients: [{ ...bob, action: 'delayed' }] },
      message(MAIL),
      HEADERS,
    ],
    [
      'the header where it arrived',
      { wish: FULL, recipients: [{ ...bob, action: 'delivered' }] },
      message(MAIL),
      HEADERS,
    ],
    ['the header where a line is too long', {}, message(`${MAIL}${'z'.repeat(999)}`), HEADERS],
  ]

  for (const [what, report, original, type] of cases) {
    it(`is ${what}`, async () => {
      const bytes = await composed(report, original)
      const [, , third] = partsOf(bytes).parts
      expect(ofType(third!.header)).toBe(type)
      expect(third!.body.startsWith(MAIL.slice(0, MAIL.indexOf('\n\n') + 1))).toBe(true)
      expect(third!.body.includes('At noon?')).toBe(type === 'message/rfc822')
    })
  }

  it('is not more than 64 KiB of a header, and only fields of it', async () => {
    const fields = `X-Long: ${'x'.repeat(60)}\n`.repeat(2_000)
    const bytes = await composed({}, message(`no field at all\n${fields}\nbody\n`))
    const [, , third] = partsOf(bytes).parts
    expect(third!.body.length).toBeLessThanOrEqual(64 * 1024)
    expect(third!.body.length).toBeGreaterThan(60 * 1024)
    expect(third!.body).not.toContain('no field')
  })

  it('has its lines broken where they are longer than a server must take', async () => {
    const long = `Subject: ${'ü'.repeat(3_000)}\nX-Same: ${'x'.repeat(5_000)}\n`
    const original = fromBuffer(Buffer.from(`${long}\nbody\n`))
    const bytes = await composed({}, original)
    expectSendable(bytes)
    const [, , third] = partsOf(bytes).parts
    const back = Buffer.from(third!.body, 'latin1').toString('utf8')
    expect(back.replaceAll('\n ', '')).toBe(long)
  })

  it('has no CR and no NUL, and says that it is 8-bit', async () => {
    const bytes = await composed({}, message('Subject: x\r\n\r\na\rb\0c\xe9\n'))
    expectSendable(bytes)
    const { head, parts } = partsOf(bytes)
    expect(parts[2]!.body).toBe('Subject: x\n\na b?c\xe9\n')
    expect(encoding(head)).toBe('8bit')
    expect(parts.map(({ header }) => encoding(header))).toEqual(['7bit', '7bit', '8bit'])
  })

  it('may itself be a report, or hold all that ends a part or a mail (Q7)', async () => {
    const report = (await composed({})).toString('latin1')
    const nested = message(`${report}</html>\n.\n--=_0--\nFrom me\n`)
    const bytes = await composed({}, nested)
    const { parts } = partsOf(bytes)
    expect(parts).toHaveLength(3)
    expect(parts[2]!.body).toBe(`${report}</html>\n.\n--=_0--\nFrom me\n`)
  })
})

describe('a report about much', () => {
  it('reads only the front of a mail of 50 MB (Q7)', async () => {
    let read = 0
    const chunk = Buffer.from('</html>\n.\n'.repeat(100))
    const original: Message = {
      size: 50_000_000,
      lines: 10_000_000,
      async *open() {
        yield Buffer.from(MAIL)
        for (read = 0; read < 50_000_000; read += chunk.length) yield chunk
      },
    }
    const bytes = await composed({}, original)
    expect(bytes.length).toBeLessThan(5_000)
    expect(read).toBeLessThan(200_000)
    expect(bytes.includes('</html>')).toBe(false)
  })

  it('tells programs of each of 1,000 recipients, and people of the first 20 (Q7)', async () => {
    const recipients = Array.from({ length: 1_000 }, (_, n) => {
      return { ...bob, to: { local: `user${n}`, domain: 'far.example' } }
    })
    const bytes = await composed({ recipients })
    const [letter, status] = partsOf(bytes).parts
    expect(letter!.body).toMatch(/^Your mail could not be delivered to 1000 of its recipients\.\n/)
    expect(letter!.body.match(/^</gm)).toHaveLength(20)
    expect(letter!.body).toContain('... and 980 more; all of them stand in the second part')
    expect(blocksOf(status!.body)).toHaveLength(1_001)
  })

  it('lists 10,000 at most', async () => {
    const bytes = await composed({ recipients: Array.from({ length: 10_001 }, () => bob) })
    const [letter, status] = partsOf(bytes).parts
    expect(letter!.body.replace(/\s+/g, ' ')).toContain('the first 10000 stand in the second part')
    expect(blocksOf(status!.body)).toHaveLength(10_001)
  })
})

describe('a report of something else than failure', () => {
  const first = (bytes: Buffer): string => partsOf(bytes).parts[0]!.body.split('\n\n')[0]!
  const subject = (bytes: Buffer): string => /^Subject: (.*)$/m.exec(bytes.toString())![1]!

  it('tells of a delay, and until when it is tried', async () => {
    const delayed = { action: 'delayed', status: '4.4.1', retryUntil: NOW + 432_000_000 } as const
    const bytes = await composed({ recipients: [{ ...bob, ...delayed }] })
    expect(subject(bytes)).toBe('Delayed mail: it is still being tried')
    expect(first(bytes)).toBe(
      'Your mail has not yet been delivered to bob@far.example; it is still being\n' +
        'tried. You need not send it again.',
    )
    expect(bytes.toString()).toContain('\nWill-Retry-Until: Wed, 25 Nov 2026 12:05:00 +0000\n')
    expect(bytes.toString()).toContain('It is tried until Wed, 25 Nov 2026 12:05:00 +0000.\n')
    expect(bytes.toString()).toContain('The server of this address does not answer now.\n')
  })

  it('tells of success', async () => {
    const delivered = { action: 'delivered', status: '2.0.0', diagnostic: null } as const
    const bytes = await composed({ recipients: [{ ...bob, ...delivered }] })
    expect(subject(bytes)).toBe('Your mail was delivered')
    expect(first(bytes)).toBe('Your mail was delivered to bob@far.example.')
    expect(bytes.toString()).not.toContain('Will-Retry-Until')
  })

  it('names itself by the worst of what it tells', async () => {
    const recipients = (['relayed', 'delayed', 'failed', 'expanded'] as const).map((action) => {
      return { ...bob, action, to: { local: action, domain: 'far.example' } }
    })
    const bytes = await composed({ recipients })
    expect(subject(bytes)).toBe('Undelivered mail returned to sender')
    const told = [...partsOf(bytes).parts[0]!.body.matchAll(/^<(\w+)@/gm)].map(([, name]) => name)
    expect(told).toEqual(['failed', 'delayed', 'relayed', 'expanded'])
    expect(subject(await composed({ recipients: recipients.slice(0, 1) }))).toBe(
      'Your mail was passed on',
    )
  })
})

describe('addresses beyond ASCII (RFC 6533)', () => {
  const recipient = { ...bob, to: { local: 'jürgen', domain: 'far.example' } }
  const header = 'Subject: größer\n'

  it('stand as they are where the mail came with SMTPUTF8', async () => {
    const to = { local: 'αλίκη', domain: 'example.com' }
    const originalRecipient = String.raw`utf-8;j\x{FC}rgen\x{2B}1@list.example`
    const recipients = [{ ...recipient, originalRecipient, diagnostic: '550 5.1.1 größer' }]
    const original = fromBuffer(Buffer.from(`${header}\nbody\n`))
    const bytes = await composed({ utf8: true, to, recipients }, original)
    const text = bytes.toString('utf8')
    expect(text).toContain('\nTo: <αλίκη@example.com>\n')
    expect(text).toContain('multipart/report; report-type=global-delivery-status;')
    expect(text).toContain('\nOriginal-Recipient: utf-8; jürgen+1@list.example\n')
    expect(text).toContain('\nFinal-Recipient: utf-8; jürgen@far.example\n')
    expect(text).toContain('\nDiagnostic-Code: smtp; 550 5.1.1 größer\n')
    const { parts } = partsOf(bytes)
    expect(parts.map((part) => ofType(part.header))).toEqual([
      'text/plain',
      'message/global-delivery-status',
      'message/global',
    ])
    expect(parts.map((part) => encoding(part.header))).toEqual(['8bit', '8bit', '8bit'])
    const delayed = await composed(
      { utf8: true, recipients: [{ ...recipient, action: 'delayed' }] },
      original,
    )
    expect(ofType(partsOf(delayed).parts[2]!.header)).toBe('message/global-headers')
  })

  it('are written in ASCII for programs where it did not', async () => {
    const originalRecipient = String.raw`utf-8;j\x{FC}rgen@list.example`
    const recipients = [{ ...recipient, originalRecipient, diagnostic: '550 größer' }]
    const bytes = await composed({ recipients }, fromBuffer(Buffer.from(`${header}\nbody\n`)))
    const text = bytes.toString('utf8')
    expect(text).toContain(String.raw`Original-Recipient: utf-8; j\x{FC}rgen@list.example`)
    expect(text).toContain(String.raw`Final-Recipient: utf-8; j\x{FC}rgen@far.example`)
    expect(text).toContain('\nDiagnostic-Code: smtp; 550 gr??er\n')
    expect(text).toContain('report-type=delivery-status;')
    const { parts } = partsOf(bytes)
    expect(ofType(parts[1]!.header)).toBe('message/delivery-status')
    expect(encoding(parts[1]!.header)).toBe('7bit')
    expect(ofType(parts[2]!.header)).toBe('message/rfc822')
  })

  it('make nothing else of a report that has none', async () => {
    const text = (await composed({ utf8: true })).toString()
    expect(text).toContain('report-type=delivery-status;')
    expect(text).toContain('\nFinal-Recipient: rfc822; bob@far.example\n')
  })
})

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .array(
      fc.constantFrom(
        ...[
          '\r\n',
          '\n',
          '\r',
          '\0',
          '\n\n',
          '--',
          '=_',
          'X-Injected: 1',
          'Action: delivered',
          ' ',
        ],
        ...[
          '\u2028',
          '\u202e',
          '\u0085',
          '550 ',
          'é',
          '𝒳',
          '\ud800',
          '</html>',
          '"',
          '<',
          '.',
          '\t',
        ],
        'w'.repeat(1_500),
        'ü '.repeat(700),
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
)
const hostileRecipient: fc.Arbitrary<ReportedRecipient> = fc.record({
  to: fc.record({ local: hostile.map((text) => text.slice(0, 64)), domain: fc.constant('a.b') }),
  originalRecipient: fc.option(hostile.map((text) => `rfc822;${text}`)),
  action: fc.constantFrom('failed', 'delayed', 'delivered', 'relayed', 'expanded'),
  status: fc.oneof(fc.constant('5.7.1'), hostile),
  remote: fc.option(hostile),
  diagnostic: fc.option(hostile),
  lastAttempt: fc.option(fc.constant(NOW)),
  retryUntil: fc.option(fc.constant(NOW)),
})
const hostileReport = fc.record({
  report: fc.record({
    ...Object.fromEntries(Object.entries(about).map(([name, value]) => [name, fc.constant(value)])),
    from: hostile,
    utf8: fc.boolean(),
    wish: fc.option(fc.record({ content: fc.constant(null), envelopeId: fc.option(hostile) })),
    recipients: fc.array(hostileRecipient, { minLength: 1, maxLength: 4 }),
  }) as unknown as fc.Arbitrary<Report>,
  original: hostile.map((text) => `Subject: x\n${text}`),
})

const FIELDS = new Set([
  ...['Original-Envelope-Id', 'Reporting-MTA', 'Received-From-MTA', 'Arrival-Date'],
  ...['Original-Recipient', 'Final-Recipient', 'Action', 'Status', 'Remote-MTA'],
  ...['Diagnostic-Code', 'Last-Attempt-Date', 'Will-Retry-Until'],
])

describe('whatever servers said and clients wrote', () => {
  it('a report has its three parts, its fields and no others', async () => {
    await fc.assert(
      fc.asyncProperty(hostileReport, async ({ report, original }) => {
        const bytes = await composed(report, fromBuffer(Buffer.from(original)))
        expectSendable(bytes)
        const { head, parts } = partsOf(bytes)
        expect(head.split('\n\n')).toHaveLength(2)
        expect(parts).toHaveLength(3)
        const [perMessage, ...perRecipient] = blocksOf(parts[1]!.body)
        expect(perMessage!.map(([name]) => name)).toContain('Reporting-MTA')
        expect(perRecipient.map((block) => new Map(block).get('Action'))).toEqual(
          report.recipients.map(({ action }) => action),
        )
        for (const [name] of [perMessage!, ...perRecipient].flat()) expect(FIELDS).toContain(name)
        const byte =
          encoding(parts[1]!.header) === '7bit' ? /^[ -~\n]*$/ : /^[ -~\n\u0080-\u00ff]*$/
        expect(parts[1]!.body).toMatch(byte)
      }),
      { numRuns: 300 },
    )
  })

  it('mailparser finds the same parts in it', async () => {
    // Its types do not know the first.
    const options = { keepDeliveryStatus: true, skipTextToHtml: true }
    await fc.assert(
      fc.asyncProperty(hostileReport, async ({ report, original }) => {
        const bytes = await composed(report, fromBuffer(Buffer.from(original)))
        const mail = await simpleParser(bytes, options)
        const { parts } = partsOf(bytes)
        expect(mail.subject).toMatch(/mail/i)
        expect(mail.to).toMatchObject({ value: [{ address: 'alice@example.com' }] })
        expect(mail.attachments.map(({ contentType }) => contentType)).toEqual(
          parts.slice(1).map(({ header }) => ofType(header)),
        )
      }),
      { numRuns: 100 },
    )
  })

  testWith(['python3'], "Python's email package finds the same fields in it", async () => {
    const samples = fc.sample(hostileReport, { numRuns: 150, seed: 1 })
    const directory = await mkdtemp(join(tmpdir(), 'reports-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const all = new Map<string, Buffer>()
    for (const [n, { report, original }] of samples.entries()) {
      const bytes = await composed(report, fromBuffer(Buffer.from(original)))
      all.set(`${n}.eml`, bytes)
      await writeFile(join(directory, `${n}.eml`), bytes)
    }
    const script = new URL('read-report.py', import.meta.url).pathname
    const { stdout, stderr } = await runProgram('python3', [script, directory])
    expect(stderr).toBe('')
    const found = JSON.parse(stdout.toString()) as Record<string, PythonReport>
    expect(Object.keys(found)).toHaveLength(150)
    for (const [name, bytes] of all) expectSame(found[name]!, bytes)
  })
})

interface PythonReport {
  readonly type: string
  readonly reportType: string
  readonly parts: string[]
  readonly defects: string[]
  readonly blocks: [string, string][][] | null
}

function expectSame(python: PythonReport, bytes: Buffer): void {
  const { parts } = partsOf(bytes)
  const types = parts.map(({ header }) => ofType(header))
  expect(python.type).toBe('multipart/report')
  expect(`message/${python.reportType}`).toBe(types[1])
  expect(python.parts).toEqual(types)
  // Python knows no message/global-delivery-status and leaves it in one piece.
  if (types[1] !== 'message/delivery-status') return
  const blocks = blocksOf(parts[1]!.body)
  expect(python.blocks!.map((block) => block.map(([name]) => name))).toEqual(
    blocks.map((block) => block.map(([name]) => name)),
  )
}
