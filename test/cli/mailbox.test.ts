import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { FileLocks } from '../../src/locks/files.js'
import { oneLine, Workplace } from './workplace.js'

const ALICE = 'alice@example.com'
const MESSAGE = 'From: Bob <bob@x.org>\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n\nhello\n'

async function withAlice(): Promise<Workplace> {
  const place = await Workplace.withFiles()
  await place.write('Maildir/.users/alice', '{PLAIN}secret\n')
  return place
}

/** A Maildir as another server left it. */
async function oldMaildir(place: Workplace, files: Readonly<Record<string, string>>) {
  for (const part of ['new', 'cur', 'tmp'])
    await mkdir(place.file(`old/${part}`), { recursive: true })
  for (const [name, content] of Object.entries(files)) await place.write(`old/${name}`, content)
}

const DOVECOT = {
  'cur/10.a.h:2,S': 'a\n',
  'new/20.b.h': 'b\n',
  'dovecot-uidlist': '3 V16 N9\n1 :20.b.h\n2 :10.a.h\n',
}

describe('mailtap mailbox deliver', () => {
  test('puts the message on standard input into the mailbox, whatever its line ends', async () => {
    const place = await withAlice()
    const deliver = ['mailbox', 'deliver', ALICE, '-f', 'bob@x.org']
    expect(await place.mailtap(deliver, { input: MESSAGE.replaceAll('\n', '\r\n') })).toEqual({
      code: 0,
      out: '',
      err: '',
    })
    const [name] = await readdir(place.file('Maildir/alice/new'))
    expect(await place.read(`Maildir/alice/new/${name}`)).toBe(
      `Return-Path: <bob@x.org>\nDelivered-To: ${ALICE}\n${MESSAGE}`,
    )
    const show = await place.mailtap(['mailbox', 'show', ALICE, '--json'])
    expect(JSON.parse(show.out)).toMatchObject([{ number: 1, folder: 'new', flags: '' }])
  })

  test.each([
    ['nobody@example.com', MESSAGE, [], 67],
    [ALICE, '', [], 65],
    [ALICE, MESSAGE, ['-f', 'no address'], 64],
  ])('ends as sysexits(3) has it: to %s', async (to, input, more, code) => {
    const place = await withAlice()
    const outcome = await place.mailtap(['mailbox', 'deliver', to, ...more], { input })
    expect([outcome.code, outcome.out]).toEqual([code, ''])
    oneLine(outcome)
  })

  test('says "later" when the mailbox cannot be written, and "no" when it is disabled', async () => {
    const place = await withAlice()
    await symlink('/tmp', place.file('Maildir/alice'))
    const deliver = ['mailbox', 'deliver', ALICE]
    expect((await place.mailtap(deliver, { input: MESSAGE })).code).toBe(75)
    await place.write('Maildir/.users/bob', 'password = "{PLAIN}x"\ndisabled = true\n')
    const bob = ['mailbox', 'deliver', 'bob@example.com']
    expect((await place.mailtap(bob, { input: MESSAGE })).code).toBe(69)
  })
})

describe('mailtap mailbox list and show', () => {
  test('tell what there is', async () => {
    const place = await withAlice()
    await place.mailtap(['mailbox', 'deliver', ALICE], { input: MESSAGE })
    await mkdir(place.file('Maildir/no-mailbox'))
    const list = await place.mailtap(['mailbox', 'list', 'example.com', '--json'])
    expect(JSON.parse(list.out)).toEqual([
      { address: ALICE, messages: 1, path: place.file('Maildir/alice') },
    ])
    const all = await place.mailtap(['mailbox', 'show', ALICE])
    const uid = all.out.split('\t')[2]!
    const byNumber = await place.mailtap(['mailbox', 'show', ALICE, '1'])
    expect(byNumber.out).toBe('From: "Bob" <bob@x.org>\nSubject: grüße\n\nhello\n')
    expect((await place.mailtap(['mailbox', 'show', ALICE, uid])).out).toBe(byNumber.out)
    const raw = await place.mailtap(['mailbox', 'show', ALICE, '1', '--raw'])
    expect(raw.out.endsWith(MESSAGE.replaceAll('\n', '\r\n'))).toBe(true)
  })

  test('show a message without what could harm the terminal', async () => {
    const place = await withAlice()
    const input =
      'Subject: =?utf-8?q?=1B[2J?=\nContent-Type: text/html\n\n<script>x()</script><b>text</b> \x1b[31m\n'
    await place.mailtap(['mailbox', 'deliver', ALICE], { input })
    const { out } = await place.mailtap(['mailbox', 'show', ALICE, '1'])
    expect(out).toContain('text')
    expect(out).not.toContain('\x1b')
    expect(out).not.toContain('x()')
  })

  test('name a message or a user that is not there', async () => {
    const place = await withAlice()
    expect((await place.mailtap(['mailbox', 'show', 'bob@example.com'])).code).toBe(67)
    expect((await place.mailtap(['mailbox', 'show', ALICE])).code).toBe(67)
    await place.mailtap(['mailbox', 'deliver', ALICE], { input: MESSAGE })
    for (const wanted of ['2', '0', 'x'])
      expect((await place.mailtap(['mailbox', 'show', ALICE, wanted])).code).toBe(65)
  })
})

describe('mailtap mailbox import', () => {
  test('from a server copies all, keeps the ids and proves it', async () => {
    const place = await withAlice()
    await oldMaildir(place, DOVECOT)
    const importing = ['mailbox', 'import', '--from', 'dovecot', 'old', ALICE]
    const trial = await place.mailtap([...importing, '-n'])
    expect([trial.code, place.has('Maildir/alice')]).toEqual([0, false])
    expect(trial.out).toContain('would copy 2 messages')
    const { code, out } = await place.mailtap(importing)
    expect([code, out]).toEqual([
      0,
      'copied 2 messages (0 were there) and 0 folders\n' +
        '2 messages that clients know, 0 new ones: UIDL and LIST identical\n',
    ])
    const shown = await place.mailtap(['mailbox', 'show', ALICE, '--json'])
    expect(JSON.parse(shown.out)).toMatchObject([
      { number: 1, uid: '0000000100000010', size: 3, folder: 'new' },
      { number: 2, uid: '0000000200000010', size: 3, folder: 'cur', flags: 'S' },
    ])
    expect(await readdir(place.file('old/cur'))).toHaveLength(1)
  })

  test('with --move leaves no message behind, but only when all is proven', async () => {
    const place = await withAlice()
    await oldMaildir(place, DOVECOT)
    const importing = ['mailbox', 'import', '--from', 'dovecot', '--move', 'old', ALICE]
    expect((await place.mailtap(importing)).code).toBe(0)
    expect(await readdir(place.file('old/cur'))).toEqual([])
    expect(await readdir(place.file('old/new'))).toEqual([])
  })

  test('in its own place shows a wrong size as what it is, and check --fix mends it', async () => {
    const place = await withAlice()
    await oldMaildir(place, { 'cur/10.a.h,W=99:2,S': 'a\n' })
    const config = '[domains."example.com"]\npath = "."\n'
    await writeFile(place.file('own.toml'), config)
    await place.write('.users/old', '{PLAIN}x\n')
    const command = (...args: string[]) => place.mailtap([...args, '-c', 'own.toml'])
    const importing = ['mailbox', 'import', '--from', 'twisted', 'old', 'old@example.com']
    const first = await command(...importing)
    expect([first.code, oneLine(first)]).toEqual([65, expect.stringContaining('a difference')])
    expect(first.out).toMatch(/^- 1 [0-9a-f]{32} 3\n\+ 1 [0-9a-f]{32} 99\n/)
    expect((await command('mailbox', 'check', 'old@example.com')).code).toBe(65)
    expect((await command('mailbox', 'check', 'old@example.com', '--fix')).code).toBe(0)
    expect(await readdir(place.file('old/cur'))).toEqual(['10.a.h,S=2,W=3:2,S'])
    expect(await readFile(place.file('old/mailtap-uidl'), 'latin1')).toContain('10.a.h ')
    // Its id goes by the name that it had: asking Twisted's rule again would give another one.
    const again = await command(...importing)
    expect([again.code, oneLine(again)]).toEqual([65, expect.stringContaining('taken over before')])
  })

  test('waits for whoever is logged in', async () => {
    const place = await withAlice()
    await oldMaildir(place, DOVECOT)
    const locks = await FileLocks.open(place.file('mailtap-state/locks'))
    const lease = await locks.tryAcquire(`mailbox:${ALICE}`)
    const importing = ['mailbox', 'import', '--from', 'dovecot', 'old', ALICE]
    const outcome = await place.mailtap(importing)
    expect([outcome.code, oneLine(outcome)]).toEqual([75, expect.stringContaining('logged in')])
    await lease!.release()
    expect((await place.mailtap(importing)).code).toBe(0)
  })

  test.each([
    [['--from', 'exchange', 'old', ALICE], 64, 'must be one of'],
    [['old', ALICE], 64, 'must be one of'],
    [['--from', 'dovecot', '--uidl-format', '%m', 'old', ALICE], 65, 'not understood'],
    [['--from', 'qmail', '--uidl-format', '%u', 'old', ALICE], 64, 'belongs to'],
    [['--from', 'courier', 'old', ALICE], 65, 'no such file'],
    [['--from', 'dovecot', 'nowhere', ALICE], 73, 'no such file'],
    [['--from', 'dovecot', 'old', 'bob@example.com'], 67, 'no user'],
    [['--from', 'mbox', 'old/new/20.b.h', ALICE], 65, 'no mbox'],
  ])('%j is refused', async (args, code, words) => {
    const place = await withAlice()
    await oldMaildir(place, DOVECOT)
    const outcome = await place.mailtap(['mailbox', 'import', ...args])
    expect([outcome.code, oneLine(outcome)]).toEqual([code, expect.stringContaining(words)])
  })
})

describe('mailtap mailbox export', () => {
  test.each(['mbox', 'maildir'])('as %s can be imported again', async (format) => {
    const place = await withAlice()
    const input = 'Subject: x\n\nFrom here\n>From there\n'
    for (let n = 0; n < 2; n++) await place.mailtap(['mailbox', 'deliver', ALICE], { input })
    const exporting = ['mailbox', 'export', ALICE, 'copy', '--format', format]
    expect((await place.mailtap(exporting)).code).toBe(0)
    expect((await place.mailtap(exporting)).code).toBe(73)
    await place.write('Maildir/.users/bob', '{PLAIN}secret\n')
    const bob = 'bob@example.com'
    const imported = await place.mailtap(['mailbox', 'import', '--from', format, 'copy', bob])
    expect(imported.code).toBe(0)
    const raw = async (who: string, n: string) =>
      (await place.mailtap(['mailbox', 'show', who, n, '--raw'])).out
    for (const n of ['1', '2']) expect(await raw(bob, n)).toBe(await raw(ALICE, n))
    expect((await place.mailtap(['mailbox', 'show', bob, '3'])).code).toBe(65)
  })
})

describe('mailtap mailbox check --fix', () => {
  test('where Dovecot knows the messages by name renames them only with --force', async () => {
    const place = await withAlice()
    for (const part of ['new', 'cur', 'tmp'])
      await mkdir(place.file(`Maildir/alice/${part}`), { recursive: true })
    const wrong = '10.a.h,S=2,W=9:2,S'
    await place.write(`Maildir/alice/cur/${wrong}`, 'a\n')
    await place.write('Maildir/alice/dovecot-uidlist', '3 V16 N9\n1 :10.a.h,S=2,W=9\n')
    const names = () => readdir(place.file('Maildir/alice/cur'))
    const fix = ['mailbox', 'check', ALICE, '--fix']
    for (const more of [['-n'], []]) {
      const { code, err } = await place.mailtap([...fix, ...more])
      expect([code, await names()]).toEqual([65, [wrong]])
      expect(err).toContain('has a dovecot-uidlist: ')
      expect(err).toContain('; --force renames them')
    }
    const forced = await place.mailtap([...fix, '--force'])
    expect([forced.code, forced.err]).toEqual([0, ''])
    expect(await names()).toEqual(['10.a.h,S=2,W=3:2,S'])
    const alone = await place.mailtap(['mailbox', 'check', ALICE, '--force'])
    expect([alone.code, oneLine(alone)]).toEqual([64, expect.stringContaining('--fix')])
  })
})
