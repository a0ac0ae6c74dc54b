import { execFileSync } from 'node:child_process'
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { formatAddress, parseAddress } from '../../src/mail/address.js'
import type { Envelope } from '../../src/mail/envelope.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { noSpace, type Refusal } from '../../src/mail/refusal.js'
import { type Drop, formatDrop, parseDrop } from '../../src/queue/drop-file.js'
import { maildropOf, newDropName, openDropPlace } from '../../src/queue/drop-place.js'
import { dropInto } from '../../src/queue/drop-write.js'
import { Maildrop, type MaildropParts } from '../../src/queue/maildrop.js'
import { Misshapen } from '../../src/queue/shape.js'
import { keptLog } from '../helpers/kept-log.js'

const ALICE = parseAddress('alice@example.com')!
const BOB = parseAddress('bob@example.org')!
const BODY = 'From: alice@example.com\nBcc: carol@example.org\nSubject: hi\n\nhello\n'

const ENVELOPE: Omit<Drop, 'size'> = {
  from: ALICE,
  to: [BOB],
  notices: [null],
  reports: null,
  smtputf8: false,
  eightBit: false,
  requireTls: false,
}

interface Sent {
  readonly envelope: Envelope
  readonly text: string
}

async function textOf(message: Message): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of message.open()) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

/** A state directory with a server's maildrop, and what came out of it. */
class Stage {
  readonly sent: Sent[] = []
  readonly kept = keptLog()
  readonly state: string
  readonly #refusals: (readonly (Refusal | null)[])[]

  private constructor(state: string, refusals: (readonly (Refusal | null)[])[]) {
    this.state = state
    this.#refusals = refusals
  }

  /** @param refusals of the first messages, one list each; the others are taken */
  static async make(...refusals: (readonly (Refusal | null)[])[]): Promise<Stage> {
    const state = await mkdtemp(join(tmpdir(), 'mailtap-drop-'))
    onTestFinished(() => rm(state, { recursive: true, force: true }))
    await mkdir(join(state, 'tmp'), { mode: 0o700 })
    return new Stage(state, refusals)
  }

  get path(): string {
    return maildropOf(this.state)
  }

  async drop(body = BODY, more: Partial<Drop> = {}): Promise<void> {
    await openDropPlace(this.state)
    await dropInto(this.path, { ...ENVELOPE, ...more }, fromBuffer(Buffer.from(body, 'latin1')))
  }

  async server(more: Partial<MaildropParts> = {}): Promise<Maildrop> {
    const maildrop = new Maildrop({
      state: this.state,
      temporaryDirectory: join(this.state, 'tmp'),
      hostname: 'mail.example.com',
      maxSize: () => 10_000_000,
      send: async (envelope, message) => {
        this.sent.push({ envelope, text: await textOf(message) })
        const refusals = this.#refusals.shift() ?? []
        return envelope.to.map((to, at) => ({ to, refusal: refusals[at] ?? null }))
      },
      log: this.kept,
      lookMs: 20,
      restMs: 20,
      ...more,
    })
    await maildrop.start()
    onTestFinished(() => maildrop.stop())
    return maildrop
  }

  /** Until so many have come out and nothing is left. */
  async taken(count: number): Promise<readonly Sent[]> {
    await vi.waitFor(
      async () => {
        expect(this.sent).toHaveLength(count)
        expect(await readdir(this.path)).toEqual([])
      },
      { timeout: 10_000, interval: 10 },
    )
    return this.sent
  }
}

describe('the maildrop', () => {
  test('hands on what was put there before the server started, made whole and without its Bcc', async () => {
    const stage = await Stage.make()
    await stage.drop(BODY, {
      notices: [{ notify: ['success'], originalRecipient: null }],
      reports: { content: 'headers', envelopeId: 'a+20b' },
    })
    await stage.server()
    const [{ envelope, text } = { envelope: null, text: '' }] = await stage.taken(1)
    expect(envelope).toMatchObject({
      from: ALICE,
      to: [BOB],
      notices: [{ notify: ['success'], originalRecipient: null }],
      reports: { content: 'headers', envelopeId: 'a+20b' },
      unanswered: true,
    })
    const uid = process.getuid!()
    expect(text).toMatch(
      new RegExp(
        `^Received: by mail\\.example\\.com \\(mailtap, from userid ${uid}\\)\n\tid D[0-9A-F]{16};\n\t.*\n` +
          'Date: .* \\+0000\nMessage-ID: <D[0-9A-F]{16}@mail.example.com>\n' +
          'From: alice@example.com\nSubject: hi\n\nhello\n$',
      ),
    )
  })

  test('takes what comes while it runs, each once', async () => {
    const stage = await Stage.make()
    await stage.server({ lookMs: 60_000 })
    for (let n = 0; n < 30; n++) await stage.drop(`Subject: ${n}\n\n`)
    const sent = await stage.taken(30)
    const ids = new Set(sent.map(({ envelope }) => envelope.id))
    expect(ids.size).toBe(30)
    const subjects = sent.map(({ text }) => Number(/^Subject: (\d+)$/m.exec(text)![1]))
    expect(subjects.toSorted((a, b) => a - b)).toEqual([...Array(30).keys()])
  })

  test('takes a message that is too large for memory, and keeps no copy', async () => {
    const stage = await Stage.make()
    const body = `Subject: large\n\n${'0123456789abcdef\n'.repeat(150_000)}`
    await stage.drop(body)
    const server = await stage.server()
    const [sent] = await stage.taken(1)
    await server.stop()
    expect(sent!.text.endsWith(body)).toBe(true)
    expect(await readdir(join(stage.state, 'tmp'))).toEqual([])
  })

  test('keeps what the queue cannot take, and brings nobody a second copy', async () => {
    const stage = await Stage.make([null, noSpace()], [noSpace()])
    await stage.drop(BODY, { to: [ALICE, BOB], notices: [null, null] })
    await stage.server()
    const sent = await stage.taken(3)
    expect(sent.map(({ envelope }) => envelope.to)).toEqual([[ALICE, BOB], [BOB], [BOB]])
    expect(new Set(sent.map(({ envelope }) => envelope.id)).size).toBe(1)
  })

  test('gives a message the same id after a crash between taking and removing it', async () => {
    const stage = await Stage.make()
    await stage.drop()
    const first = await stage.server({
      send: async (envelope, message) => {
        stage.sent.push({ envelope, text: await textOf(message) })
        throw new Error('killed here')
      },
      restMs: 60_000,
    })
    await vi.waitFor(() => expect(stage.sent).toHaveLength(1))
    await first.stop()
    await stage.server()
    const [before, after] = await stage.taken(2)
    expect(after!.envelope.id).toBe(before!.envelope.id)
  })

  test('clears away copies that a crash left', async () => {
    const stage = await Stage.make()
    await writeFile(join(stage.state, 'tmp', 'maildrop-0011'), 'x')
    await writeFile(join(stage.state, 'tmp', 'incoming-0011'), 'x')
    await stage.server()
    expect(await readdir(join(stage.state, 'tmp'))).toEqual(['incoming-0011'])
  })

  test('has a directory that takes files of everybody and shows them to nobody', async () => {
    const stage = await Stage.make()
    await stage.server()
    const mode = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8)
    expect(await mode(stage.path)).toBe('3733')
    expect(await mode(join(stage.state, 'spool'))).toBe('711')
    expect(await mode(stage.state)).toBe('711')
  })

  test('leaves a directory closed that an admin closed', async () => {
    const stage = await Stage.make()
    await (await stage.server()).stop()
    await chmod(stage.path, 0o700)
    await stage.server()
    expect((await stat(stage.path)).mode & 0o7777).toBe(0o700)
  })

  test('refuses to start where a link stands in its place', async () => {
    const stage = await Stage.make()
    await mkdir(join(stage.state, 'spool'))
    await symlink('/tmp', stage.path)
    await expect(stage.server()).rejects.toThrow(/not a directory/)
  })
})

const HEAD = formatDrop({ ...ENVELOPE, size: 2 }).toString()

describe('a file of the maildrop that is no mail', () => {
  test.each([
    ['nothing', ''],
    ['no first line', 'x'],
    ['no JSON', '{\nx\n'],
    ['a shorter message', `${HEAD}x`],
    ['a longer message', `${HEAD}xx\n`],
    ['CR', `${HEAD}\r\n`],
    ['NUL', `${HEAD}\0\n`],
    ['no recipient', `${HEAD.replace('["bob@example.org"]', '[]')}x\n`],
    ['a recipient that is none', `${HEAD.replace('bob@example.org', 'bob@@')}x\n`],
    ['more than it may say', `${HEAD.replace('"size"', '"client":1,"size"')}x\n`],
    ['more than may be sent', HEAD.replace('"size":2', '"size":20000000')],
  ])('(%s) is put aside, and told', async (_, content) => {
    const stage = await Stage.make()
    await openDropPlace(stage.state)
    const name = newDropName()
    await writeFile(join(stage.path, name), content)
    await stage.server()
    await stage.taken(0)
    const aside = join(stage.state, 'spool', 'corrupt', `maildrop-${name}`)
    expect(await readFile(aside, 'latin1')).toBe(content)
    expect(stage.kept.of('maildrop bad file')).toHaveLength(1)
  })

  test('(a link, a second name of a file, a FIFO) is never read', async () => {
    const stage = await Stage.make()
    await openDropPlace(stage.state)
    const secret = join(stage.state, 'secret')
    await writeFile(secret, `${HEAD}x\n`)
    await symlink(secret, join(stage.path, newDropName()))
    await link(secret, join(stage.path, newDropName()))
    execFileSync('mkfifo', [join(stage.path, newDropName())])
    await stage.server()
    await stage.taken(0)
    expect(await readdir(join(stage.state, 'spool', 'corrupt'))).toHaveLength(3)
  })

  test('(of a later version) stays where it is', async () => {
    const stage = await Stage.make()
    await openDropPlace(stage.state)
    const name = newDropName()
    await writeFile(join(stage.path, name), `${HEAD.replace('"version":1', '"version":2')}x\n`)
    await stage.server()
    await vi.waitFor(() => expect(stage.kept.of('maildrop not taken')).not.toEqual([]))
    expect(await readdir(stage.path)).toEqual([name])
    expect(stage.sent).toEqual([])
  })
})

describe('the first line of such a file', () => {
  const address = fc
    .tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.constantFrom('x.org', '[127.0.0.1]'))
    .map(([local, domain]) => parseAddress(formatAddress({ local, domain })))
    .filter((each) => each !== null)
  const notice = fc.record({
    notify: fc.constantFrom(null, [], ['failure' as const]),
    originalRecipient: fc.constantFrom(null, 'rfc822;a+2Bb@x.org', 'utf-8;\\x{FC}@x.org'),
  })
  const drop = fc
    .array(fc.tuple(address, fc.option(notice)), { minLength: 1, maxLength: 5 })
    .chain((recipients) =>
      fc.record({
        from: fc.option(address),
        to: fc.constant(recipients.map(([to]) => to)),
        notices: fc.constant(recipients.map(([, each]) => each)),
        reports: fc.option(
          fc.record({
            content: fc.constantFrom(null, 'full' as const),
            envelopeId: fc.constantFrom(null, 'a+20'),
          }),
        ),
        smtputf8: fc.boolean(),
        eightBit: fc.boolean(),
        requireTls: fc.boolean(),
        size: fc.nat(),
      }),
    )

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(drop, (each) => {
        expect(parseDrop(formatDrop(each).subarray(0, -1))).toEqual(each)
      }),
    )
  })

  test('is taken as it is or not at all, whatever is wrong with it', () => {
    const line = HEAD.slice(0, -1)
    fc.assert(
      fc.property(fc.nat(line.length), fc.nat(3), fc.string({ maxLength: 3 }), (at, cut, put) => {
        const damaged = Buffer.from(line.slice(0, at) + put + line.slice(at + cut))
        try {
          const read = parseDrop(damaged)
          if (read !== null) expect(formatDrop(read).length).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(Misshapen)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
