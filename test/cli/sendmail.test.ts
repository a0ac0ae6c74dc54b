import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { readInput } from '../../cli/sendmail-text.js'
import { readSendmailWords } from '../../cli/sendmail-words.js'
import { silent } from '../../src/log/log.js'
import { formatAddress } from '../../src/mail/address.js'
import type { Envelope } from '../../src/mail/envelope.js'
import { Maildrop } from '../../src/queue/maildrop.js'
import { runProgram, testUnless, testWith } from '../helpers/programs.js'
import { PROGRAM } from '../helpers/site.js'
import { oneLine, Workplace, type Circumstances } from './workplace.js'

const CONFIG =
  'hostname = "mail.example.com"\n[domains."example.com"]\npath = "Maildir"\n[relay]\nvia = ["mx"]\n'
const NOBODY = 65_534

interface Got {
  readonly envelope: Envelope
  readonly from: string
  readonly to: readonly string[]
  readonly text: string
}

/** A place where a server has been and no longer runs. */
async function site(config = CONFIG): Promise<Workplace> {
  const place = await Workplace.withFiles()
  await place.write('mailtap.toml', config)
  await chmod(place.file('mailtap.toml'), 0o644)
  await mkdir(place.file('mailtap-state/tmp'), { recursive: true, mode: 0o700 })
  return place
}

function sendmail(place: Workplace, args: readonly string[], more: Circumstances = {}) {
  return place.mailtap(['sendmail', '-C', place.file('mailtap.toml'), ...args], more)
}

/** What a server finds when it starts. */
async function received(place: Workplace, count = 1): Promise<readonly Got[]> {
  const got: Got[] = []
  const maildrop = new Maildrop({
    state: place.file('mailtap-state'),
    temporaryDirectory: place.file('mailtap-state/tmp'),
    hostname: 'mail.example.com',
    maxSize: () => 1_000_000,
    send: async (envelope, message) => {
      const pieces: Buffer[] = []
      for await (const piece of message.open()) pieces.push(piece)
      const from = envelope.from === null ? '<>' : formatAddress(envelope.from)
      const to = envelope.to.map(formatAddress)
      got.push({ envelope, from, to, text: Buffer.concat(pieces).toString() })
      return envelope.to.map((each) => ({ to: each, refusal: null }))
    },
    log: silent,
  })
  await maildrop.start()
  onTestFinished(() => maildrop.stop())
  await vi.waitFor(() => expect(got).toHaveLength(count), { timeout: 10_000, interval: 10 })
  await maildrop.stop()
  return got
}

const drops = async (place: Workplace): Promise<string[]> =>
  existsSync(place.file('mailtap-state/spool/maildrop'))
    ? readdir(place.file('mailtap-state/spool/maildrop'))
    : []

describe('sendmail', () => {
  test('takes a message while no server runs, and makes it whole', async () => {
    const place = await site()
    const args = ['-i', '-f', 'ann@example.com', '-F', 'Ann "A" Lee', 'bob@example.org', 'root']
    expect(await sendmail(place, args, { input: 'Subject: hi\n\n.\nhello' })).toEqual({
      code: 0,
      out: '',
      err: '',
    })
    const [got] = await received(place)
    expect([got!.from, got!.to]).toEqual([
      'ann@example.com',
      ['bob@example.org', 'root@example.com'],
    ])
    expect(got!.text.replace(/^Received:.*\n\t.*\n\t.*\n/, '').replace(/: .*\d\d.*/g, ': …')).toBe(
      'Date: …\nMessage-ID: …\nFrom: "Ann \\"A\\" Lee" <ann@example.com>\nSubject: hi\n\n.\nhello\n',
    )
  })

  test('takes recipients from the header with -t, and sends nobody the Bcc', async () => {
    const place = await site()
    const header =
      'To: Bob <bob@example.org>,\n\tfriends: joe@example.org;\nBCC: Eve <eve@example.net>\nCc: (x) ann'
    const { code } = await sendmail(place, ['-ti', 'sue@example.net'], {
      input: `${header}\n\nhi\n`,
    })
    expect(code).toBe(0)
    const [got] = await received(place)
    expect(got!.to).toEqual([
      'sue@example.net',
      'bob@example.org',
      'joe@example.org',
      'eve@example.net',
      'ann@example.com',
    ])
    expect(got!.text).not.toMatch(/eve|bcc/i)
  })

  test('sends what is sent on to its new recipients only', async () => {
    const place = await site()
    const resent = 'Resent-To: new@example.org\nResent-From: me@example.com\n'
    const old = 'Resent-To: old@example.org\nTo: first@example.org\nFrom: a@example.org\n\nhi\n'
    await sendmail(place, ['-t'], { input: resent + old })
    expect((await received(place))[0]!.to).toEqual(['new@example.org'])
  })

  test('passes on what the sender wants to be told', async () => {
    const place = await site()
    const wishes = ['-N', 'delay,failure', '-Rhdrs', '-V', 'a=b 1', '-f', '']
    await sendmail(place, [...wishes, 'bob@example.org'], { input: 'Subject: ü\n\n' })
    const [got] = await received(place)
    expect(got!.from).toBe('<>')
    expect(got!.text).toContain('\nFrom: MAILER-DAEMON@example.com\n')
    expect(got!.envelope).toMatchObject({
      notices: [{ notify: ['failure', 'delay'], originalRecipient: null }],
      reports: { content: 'headers', envelopeId: 'a+3Db+201' },
      eightBit: true,
      smtputf8: false,
    })
  })

  test.each([
    ['a line that is a dot', [], 'a: b\n\nx\n.\nrest\n', 'a: b\n\nx\n'],
    ['the same with CR LF', [], 'a: b\r\n\r\nx\r\n.\r\nrest\r\n', 'a: b\n\nx\n'],
    ['a dot more is a line', [], 'a: b\n\n..\n.x\n', 'a: b\n\n..\n.x\n'],
    ['with -oi a dot is one', ['-oi'], 'a: b\n\n.\n', 'a: b\n\n.\n'],
    ['no header', [], 'just text\n', '\njust text\n'],
    ['a body without a blank line', [], 'a: b\nnot a field\n', 'a: b\n\nnot a field\n'],
    ['progress bars and NUL', [], 'a: b\n\n10%\r20%\r\r\nd\0ne', 'a: b\n\n10%\n20%\ndne\n'],
    ['the line of an mbox', [], 'From a@x Mon Nov 3\na: b\n\nx\n', 'a: b\n\nx\n'],
    ['nothing', [], '', '\n'],
  ])('reads %s', async (_, args, input, wanted) => {
    const place = await site()
    expect((await sendmail(place, [...args, '-fa@b.org', 'bob@example.org'], { input })).code).toBe(
      0,
    )
    const [got] = await received(place)
    expect(got!.text.split('From: a@b.org\n')[1]).toBe(wanted)
  })

  test.each([
    ['nobody to send to', [], 64],
    ['a flag that no sendmail has', ['-y', 'a@example.org'], 64],
    ['a value that is missing', ['-f'], 64],
    ['an option behind a recipient', ['a@example.org', '-f', 'b@example.org'], 64],
    ['a sender that is none', ['-f', 'a b', 'a@example.org'], 64],
    ['a recipient that is none', ['a b'], 65],
    ['-t without any', ['-t'], 65],
    ['the daemon', ['-bd', '-q30m'], 64],
  ])('ends as sysexits(3) has it: %s', async (_, args, code) => {
    const place = await site()
    const outcome = await sendmail(place, args, { input: 'Subject: x\n\nx\n' })
    expect([outcome.code, outcome.out]).toEqual([code, ''])
    oneLine(outcome)
    expect(await drops(place)).toEqual([])
  })

  test('ends with 65 for what is too large or names a recipient that is none, with 69 without a way', async () => {
    const place = await site(`${CONFIG.replace(/\[relay].*/s, '')}[limits]\nmessage_size = 1000\n`)
    const code = async (args: string[], input: string) =>
      (await sendmail(place, args, { input })).code
    expect(await code(['ann'], 'x'.repeat(2_000))).toBe(65)
    expect(await code(['-t'], 'To: ann, no body here\n\n')).toBe(65)
    expect(await code(['bob@example.org'], '\nhi\n')).toBe(69)
    expect(await drops(place)).toEqual([])
  })

  test('ends with 78 without a config it can read, and looks for none where it happens to stand', async () => {
    const place = await site()
    const lost = await place.mailtap(['sendmail', 'ann'], { input: 'x' })
    const wrong = await sendmail(place, ['-C', '/nonexistent', 'ann'], { input: 'x' })
    expect([lost.code, wrong.code]).toEqual([78, 78])
    oneLine(lost)
    const env = { MAILTAP_CONFIG: place.file('mailtap.toml') }
    expect((await place.mailtap(['sendmail', 'ann'], { input: 'x', env })).code).toBe(0)
  })

  test('ends with 75 where no server has run, and where it cannot write', async () => {
    const place = await Workplace.withFiles()
    const outcome = await sendmail(place, ['ann'], { input: 'x' })
    expect(outcome.code).toBe(75)
    expect(oneLine(outcome)).toContain('no server has run here yet')
    await mkdir(place.file('mailtap-state'))
    await writeFile(place.file('mailtap-state/spool'), 'no directory')
    expect((await sendmail(place, ['ann'], { input: 'x' })).code).toBe(75)
  })

  test('stops no mail for a mistake elsewhere in the config', async () => {
    const place = await site(`${CONFIG}\n[pop3]\napop = "maybe"\n`)
    expect((await sendmail(place, ['bob@example.org'], { input: 'x' })).code).toBe(0)
  })

  const noRoot = process.getuid?.() === 0 ? null : 'only root can become somebody else'
  testUnless(noRoot, 'takes mail of a user who may read nothing of the server', async () => {
    const place = await site()
    // Made by the one who runs the server, as its start would.
    expect((await sendmail(place, ['ann'], { input: 'first' })).code).toBe(0)
    await chmod(place.path, 0o711)
    const as = { input: 'Subject: from nobody\n\n', uid: NOBODY }
    expect(await sendmail(place, ['bob@example.org'], as)).toMatchObject({ code: 0, err: '' })
    const spool = place.file('mailtap-state/spool/maildrop')
    const look = await runProgram('setpriv', [
      `--reuid=${NOBODY}`,
      `--regid=${NOBODY}`,
      '--clear-groups',
      'ls',
      spool,
    ])
    expect(look.code).not.toBe(0)
    const modes = await Promise.all(
      (await drops(place)).map((name) => place.mode(join('mailtap-state/spool/maildrop', name))),
    )
    expect(modes).toEqual(['640', '640'])
    const got = await received(place, 2)
    expect(got[1]!.text).toContain(`(mailtap, from userid ${NOBODY})`)
  })

  testUnless(noRoot, 'says "later" to a user where the maildrop is closed', async () => {
    const place = await site()
    await chmod(place.path, 0o711)
    const outcome = await sendmail(place, ['ann'], { input: 'x', uid: NOBODY })
    expect(outcome.code).toBe(75)
    expect(oneLine(outcome)).toContain('no way to the maildrop')
  })
})

describe('sendmail -bv, -bs, mailq and newaliases', () => {
  test('-bv tells who is there', async () => {
    const place = await site(CONFIG.replace(/\[relay].*/s, ''))
    await place.write('Maildir/.users/ann', '{PLAIN}x\n')
    const good = await sendmail(place, ['-bv', 'ann'])
    expect(good).toEqual({ code: 0, out: 'ann@example.com... deliverable\n', err: '' })
    expect((await sendmail(place, ['-bv', 'ann', 'joe'])).code).toBe(67)
    expect((await sendmail(place, ['-bv', 'ann@example.org'])).code).toBe(69)
    expect((await sendmail(place, ['-bv'])).code).toBe(64)
  })

  test('-bs speaks SMTP, with every dot and wish in its place', async () => {
    const place = await site()
    const talk = [
      'EHLO client.example.com',
      'MAIL FROM:<ann@example.com> RET=FULL',
      'RCPT TO:<bob@example.org> NOTIFY=NEVER',
      'DATA',
    ]
    const input = `${talk.join('\r\n')}\r\n`
    const body = 'Subject: dots\r\n\r\n..\r\n.\r\nQUIT\r\n'
    const { code, out } = await sendmail(place, ['-bs'], { input: input + body })
    expect(code).toBe(0)
    const codes = out.split('\r\n').flatMap((line) => /^(\d{3}) /.exec(line)?.[1] ?? [])
    // What comes behind DATA before its reply is out of step: nothing is taken.
    expect(codes).toEqual(['220', '250', '250', '250', '554'])
    expect(await drops(place)).toEqual([])
  })

  test('-bs takes a message from a client that waits for its replies', async () => {
    const place = await site()
    const script = `
      const { spawn } = require('node:child_process')
      const child = spawn(process.execPath, process.argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
      const lines = ['EHLO a', 'MAIL FROM:<ann@example.com>', 'RCPT TO:<bob@example.org>', 'DATA',
        'Subject: dots\\r\\n\\r\\n..\\r\\nend\\r\\n.', 'QUIT']
      child.stdout.on('data', (data) => {
        process.stdout.write(data)
        if (/^\\d{3} .*\\r\\n$/m.test(String(data)) && lines.length > 0) child.stdin.write(lines.shift() + '\\r\\n')
      })
      child.on('close', (code) => { process.exitCode = code })`
    const words = [PROGRAM, 'sendmail', '-C', place.file('mailtap.toml'), '-bs']
    const talk = await runProgram(process.execPath, ['-e', script, ...words])
    expect(talk.code).toBe(0)
    const [got] = await received(place)
    expect([got!.from, got!.to]).toEqual(['ann@example.com', ['bob@example.org']])
    expect(got!.text).toMatch(/\nSubject: dots\n\n\.\nend\n$/)
  })

  test('newaliases says nothing when all is well, and what is wrong when it is not', async () => {
    const place = await site()
    const newaliases = () => place.mailtap(['-c', place.file('mailtap.toml'), 'newaliases'])
    await place.write('Maildir/.users/ann', '{PLAIN}x\n')
    await place.write('Maildir/.aliases', 'info: ann\n')
    expect(await newaliases()).toEqual({ code: 0, out: '', err: '' })
    await place.write('Maildir/.aliases', 'info: nobody-there\n')
    const bad = await newaliases()
    expect(bad.code).toBe(65)
    expect(bad.err).toContain('nobody-there')
  })

  test('mailq and -bp list what waits', async () => {
    const place = await site()
    const config = place.file('mailtap.toml')
    const all = [
      await place.mailtap(['mailq', '-C', config]),
      await sendmail(place, ['-bp']),
      await place.mailtap(['-c', config, 'mailq']),
    ]
    for (const outcome of all)
      expect(outcome).toMatchObject({ code: 0, out: 'Mail queue is empty\n' })
  })
})

/** As a system has it: a program of that name. */
async function installed(place: Workplace): Promise<{ path: string; env: Record<string, string> }> {
  const link = place.file('lib/sendmail')
  await mkdir(place.file('lib'))
  await symlink(PROGRAM, link)
  const path = place.file('sendmail')
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${link}' "$@"\n`, { mode: 0o755 })
  return { path, env: { MAILTAP_CONFIG: place.file('mailtap.toml') } }
}

describe('programs that send through it', () => {
  test('cron of Debian, cronie', async () => {
    const place = await site()
    const { path, env } = await installed(place)
    const input = 'From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> job\n\noutput\n'
    const debian = ['-FCronDaemon', '-i', '-B8BITMIME', '-oem', 'root']
    const cronie = ['-FCronDaemon', '-i', '-odi', '-oem', '-oi', '-t', '-f', 'root']
    for (const args of [debian, cronie])
      expect((await runProgram(path, args, { input, env })).code).toBe(0)
    const got = await received(place, 2)
    expect(got.map(({ to }) => to)).toEqual([['root@example.com'], ['root@example.com']])
    expect(got[0]!.text).toMatch(/\nSubject: Cron <root@host> job\n\noutput\n$/)
  })

  testWith(['php'], "PHP's mail()", async () => {
    const place = await site()
    const { path, env } = await installed(place)
    const code =
      'exit(mail("bob@example.org", "hi", "line one\\r\\nline two", "From: ann@example.com\\r\\nBcc: eve@example.net", "-fweb@example.com") ? 0 : 1);'
    const { code: end } = await runProgram(
      'php',
      ['-d', `sendmail_path=${path} -t -i`, '-r', code],
      { env },
    )
    expect(end).toBe(0)
    const [got] = await received(place)
    expect([got!.from, got!.to]).toEqual([
      'web@example.com',
      ['bob@example.org', 'eve@example.net'],
    ])
    expect(got!.text).toMatch(/\nFrom: ann@example.com\n\nline one\nline two\n$/)
  })

  testWith(['mutt'], 'mutt', async () => {
    const place = await site()
    const { path, env } = await installed(place)
    const set = `set sendmail="${path} -oem -oi" copy=no from=ann@example.com use_envelope_from=yes`
    const args = [
      '-F',
      '/dev/null',
      '-e',
      set,
      '-s',
      'hi',
      '-b',
      'eve@example.net',
      'bob@example.org',
    ]
    const { code, stderr } = await runProgram('mutt', args, {
      input: 'hello\n',
      env,
      home: place.path,
    })
    expect([code, stderr]).toEqual([0, ''])
    const [got] = await received(place)
    expect(got!.from).toBe('ann@example.com')
    expect([...got!.to].toSorted()).toEqual(['bob@example.org', 'eve@example.net'])
    expect(got!.text).not.toContain('eve')
    expect(got!.text).toMatch(/\n\nhello\n$/)
  })

  testWith(['mailx'], 'mailx', async () => {
    const place = await site()
    const { path, env } = await installed(place)
    await place.write('.mailrc', `set sendmail=${path}\nset sendwait\n`)
    const args = ['-s', 'hi', 'bob@example.org']
    const { code } = await runProgram('mailx', args, { input: 'hello\n', env, home: place.path })
    expect(code).toBe(0)
    expect((await received(place))[0]!.to).toEqual(['bob@example.org'])
  })

  const needed = ['/usr/lib/git-core/git-send-email', '/usr/share/perl5/Mail/Address.pm']
  const absent = needed.filter((path) => !existsSync(path))
  const noGit = absent.length === 0 ? null : `not installed: ${absent.join(', ')}`
  testUnless(noGit, 'git send-email', async () => {
    const place = await site()
    const { path, env } = await installed(place)
    await place.write(
      '0001.patch',
      'From 1234 Mon Sep 17 00:00:00 2001\nFrom: Ann <ann@example.com>\nDate: Mon, 3 Nov 2025 10:00:00 +0100\nSubject: [PATCH] a\n\n---\n.\n',
    )
    const who = ['--from=Ann <ann@example.com>', '--to=bob@example.org', '--cc=joe@example.org']
    const args = ['send-email', `--smtp-server=${path}`, '--confirm=never', '--quiet', ...who]
    const done = await runProgram('git', [...args, place.file('0001.patch')], {
      env,
      home: place.path,
    })
    expect(done.code, done.stderr).toBe(0)
    const [got] = await received(place)
    expect([...got!.to].toSorted()).toEqual([
      'ann@example.com',
      'bob@example.org',
      'joe@example.org',
    ])
    expect(got!.text).toMatch(/\n---\n\.\n$/)
  })
})

describe('the words of sendmail', () => {
  test.each([
    [['-ti'], { fromHeader: true, dotEnds: false }],
    [['-fann', '-Fx y'], { sender: 'ann', fullName: 'x y' }],
    [
      ['-r', 'ann', '-oem', '-o', 'i', '-odb', '-O', 'Timeout=1', 'bob'],
      { sender: 'ann', dotEnds: false, operands: ['bob'] },
    ],
    [
      [
        '-G',
        '-i',
        '-v',
        '-n',
        '-h',
        '3',
        '-L',
        'x',
        '-Am',
        '-em',
        '-d0.4',
        '-X',
        '/tmp/log',
        '--',
        '-x',
      ],
      { dotEnds: false, operands: ['-x'] },
    ],
    [['-bp'], { mode: 'queue' }],
    [['-qIABC'], { mode: 'flush', chosen: { by: 'id', what: 'ABC' } }],
    [['-bi'], { mode: 'aliases' }],
    [['-N', 'never'], { notify: [] }],
  ] as const)('%j', (given, wanted) => {
    expect(readSendmailWords(given)).toMatchObject(wanted)
  })

  test('no word is lost: each is a flag, a value, a recipient, or a complaint', () => {
    const word = fc.oneof(
      fc.constantFrom('-t', '-i', '-oi', '-f', '-f a', '-N', '-bm', '--', '-', '-q', '-tf'),
      fc.string({ maxLength: 6 }),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (given) => {
        try {
          const { operands } = readSendmailWords(given)
          expect(operands).toEqual(given.slice(given.length - operands.length))
        } catch (error) {
          expect(error).toMatchObject({ name: 'Failure', code: 64 })
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('the message is the same however the pipe cut it', async () => {
    const text = fc.string({ unit: fc.constantFrom(...'a.\r\n\0'), maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(text, fc.nat(30), fc.boolean(), async (whole, at, dotEnds) => {
        const read = (...pieces: string[]) => readInput(chunks(pieces), { dotEnds, limit: 100 })
        const one = String(await read(whole))
        expect(String(await read(whole.slice(0, at), whole.slice(at)))).toBe(one)
        expect(one).not.toMatch(/[\r\0]|[^\n]$/)
        if (dotEnds) expect(one).not.toMatch(/^\.$/m)
      }),
      { numRuns: 1_000 },
    )
  })
})

async function* chunks(pieces: readonly string[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece)
}
