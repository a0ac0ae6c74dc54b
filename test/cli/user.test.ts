import { chown, readdir, stat } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

const STDIN = '--password-stdin'

describe('mailtap user add', () => {
  test('makes the user file and the mailbox for their owner only', async () => {
    const place = await Workplace.withConfig()
    const { code, out } = await place.mailtap(['user', 'add', 'alice@example.com', STDIN], {
      input: 'secret word\n',
    })
    expect(code).toBe(0)
    expect(out).not.toContain('secret')
    expect(await place.mode('Maildir/.users/alice')).toBe('600')
    expect(await place.mode('Maildir/alice')).toBe('700')
    expect(await readdir(place.file('Maildir/alice'))).toEqual(['cur', 'new', 'tmp'])
    expect(await readdir(place.file('Maildir/.users'))).toEqual(['alice'])
    expect(await place.read('Maildir/.users/alice')).toMatch(/^\$argon2id\$\S+\n$/)
  })

  test('takes a bare name where there is a default domain, and only there', async () => {
    const place = await Workplace.withConfig()
    expect((await place.mailtap(['user', 'add', 'Alice', '--generate'])).code).toBe(0)
    expect(place.has('Maildir/.users/alice')).toBe(true)
    await place.mailtap(['create', '--force', '-d', 'a.org=./a', '-d', 'b.org=./b'])
    const outcome = await place.mailtap(['user', 'add', 'bob', '--generate'])
    expect([outcome.code, oneLine(outcome)]).toEqual([
      64,
      "'bob' lacks its domain, and there is no default_domain; write bob@domain",
    ])
  })

  test('stores a password that APOP can use when asked to', async () => {
    const place = await Workplace.withConfig()
    const add = ['user', 'add', 'apop', STDIN, '-s', 'plain']
    expect((await place.mailtap(add, { input: 'pä ss' })).code).toBe(0)
    expect(await place.read('Maildir/.users/apop')).toBe('{PLAIN}pä ss\n')
    const refused = await place.mailtap(['user', 'add', 'x', '-s', 'md5', '--generate'])
    expect([refused.code, oneLine(refused)]).toEqual([64, expect.stringContaining('argon2id')])
  })

  test('reads a password from a file', async () => {
    const place = await Workplace.withConfig()
    await place.write('pw', 'from a file\r\n')
    const add = ['user', 'add', 'alice', '--password-file', 'pw', '-s', 'plain']
    expect((await place.mailtap(add)).code).toBe(0)
    expect(await place.read('Maildir/.users/alice')).toBe('{PLAIN}from a file\n')
  })

  test.each([
    ['empty', '', 'is empty'],
    ['an empty line', '\n', 'is empty'],
    ['two lines', 'a\nb\n', 'more than one line'],
    ['NUL', 'a\0b', 'control characters'],
    ['1025 bytes', 'x'.repeat(1025), 'longer than 1024 bytes'],
    ['a megabyte', 'x'.repeat(1_000_000), 'longer than 1024 bytes'],
  ])('refuses a password that is %s', async (_what, input, words) => {
    const place = await Workplace.withFiles()
    const outcome = await place.mailtap(['user', 'add', 'alice', STDIN], { input })
    expect([outcome.code, oneLine(outcome)]).toEqual([65, expect.stringContaining(words)])
    expect(await readdir(place.file('Maildir/.users'))).toEqual([])
  })

  test('refuses two sources of a password', async () => {
    const place = await Workplace.withConfig()
    const outcome = await place.mailtap(['user', 'add', 'alice', STDIN, '--generate'])
    expect([outcome.code, oneLine(outcome)]).toEqual([64, expect.stringContaining('exclude')])
  })

  test.each([
    '../../etc/passwd',
    '..',
    '.',
    '.hidden',
    '"../x"',
    'a/b',
    'a\u0001b',
    '%2e%2e%2f',
    '..\\..\\x',
    'a b',
    'a"b',
    'a@b',
    '|cmd',
    ';id;',
    '`id`',
    '$(id)',
    ':include:',
    '-n',
    'a..b',
    'a.',
    'ｕｓｅｒ',
    'ad\u200dmin',
    '\u212aim',
    'x'.repeat(65),
  ])('refuses the name %j and opens no file for it', async (name) => {
    const place = await Workplace.withFiles()
    const { code, err } = await place.mailtap([
      'user',
      'add',
      '--generate',
      '--',
      `${name}@example.com`,
    ])
    expect([code, err]).toEqual([65, expect.stringContaining("can not be a user's name")])
    expect(await readdir(place.file('Maildir/.users'))).toEqual([])
    expect(await readdir(place.path)).toEqual(['Maildir', 'mailtap.toml'])
  })

  test('does not touch a user who is there, however the name is spelled', async () => {
    const place = await Workplace.withConfig('-u', 'alice')
    const before = await place.read('Maildir/.users/alice')
    const outcome = await place.mailtap(['user', 'add', 'ALICE@Example.COM', '--generate'])
    expect([outcome.code, oneLine(outcome)]).toEqual([
      73,
      'alice@example.com is there already; for another password: mailtap user passwd alice@example.com',
    ])
    expect(await place.read('Maildir/.users/alice')).toBe(before)
  })

  test('knows its domains', async () => {
    const place = await Workplace.withConfig()
    const outcome = await place.mailtap(['user', 'add', 'alice@example.org', '--generate'])
    expect([outcome.code, oneLine(outcome)]).toEqual([
      67,
      "'example.org' is no domain of this config (its domains: example.com)",
    ])
  })

  test('makes nothing in a dry run, and asks for no password', async () => {
    const place = await Workplace.withConfig()
    const { code, out } = await place.mailtap(['user', 'add', 'alice', '-n'])
    expect([code, out]).toEqual([0, 'would make the user alice@example.com\n'])
    expect(await readdir(place.file('Maildir'))).toEqual(['.users', 'postmaster'])
  })

  test.runIf(process.getuid?.() === 0)(
    'run by root, gives all to the owner of the domain',
    async () => {
      const place = await Workplace.withConfig()
      await chown(place.file('Maildir'), 65_534, 65_534)
      expect((await place.mailtap(['user', 'add', 'alice', '--generate'])).code).toBe(0)
      for (const name of [
        '.users',
        '.users/alice',
        'alice',
        'alice/tmp',
        'alice/new',
        'alice/cur',
      ]) {
        const { uid, gid } = await stat(place.file(`Maildir/${name}`))
        expect([name, uid, gid]).toEqual([name, 65_534, 65_534])
      }
    },
  )
})

describe('mailtap user passwd', () => {
  test('sets another password and nothing else', async () => {
    const place = await Workplace.withConfig()
    await place.write('Maildir/.users/bob', '# of sales\npassword = "{PLAIN}old"\nname = "Bob"\n')
    const set = ['user', 'passwd', 'bob', STDIN, '-s', 'plain']
    expect((await place.mailtap(set, { input: 'new\n' })).code).toBe(0)
    const text = await place.read('Maildir/.users/bob')
    expect(text).toBe('# of sales\npassword = "{PLAIN}new"\nname = "Bob"\n')
    expect(await place.mode('Maildir/.users/bob')).toBe('600')
  })

  test('prints a generated password once', async () => {
    const place = await Workplace.withConfig('-u', 'alice=first')
    const { out } = await place.mailtap(['user', 'passwd', 'alice', '--generate'])
    const input = /^password (\S+)$/m.exec(out)![1]!
    const verify = ['hash', '--verify', 'Maildir/.users/alice', STDIN]
    expect((await place.mailtap(verify, { input })).code).toBe(0)
    expect((await place.mailtap(verify, { input: 'first' })).code).toBe(65)
  })

  test('makes no user', async () => {
    const place = await Workplace.withConfig()
    const outcome = await place.mailtap(['user', 'passwd', 'alice', '--generate'])
    expect([outcome.code, oneLine(outcome)]).toEqual([
      67,
      expect.stringContaining('no user alice@'),
    ])
    expect(await readdir(place.file('Maildir/.users'))).toEqual([])
  })
})

describe('mailtap user remove', () => {
  test('keeps the mail and says where it is', async () => {
    const place = await Workplace.withConfig('-u', 'alice')
    await place.write('Maildir/alice/new/1.M1.host', 'mail\n')
    const { code, out } = await place.mailtap(['user', 'remove', 'alice'])
    expect([code, out]).toEqual([
      0,
      `removed the user alice@example.com\nthe mail is kept in ${place.file('Maildir/alice')}\n`,
    ])
    expect(place.has('Maildir/.users/alice')).toBe(false)
    expect(await place.read('Maildir/alice/new/1.M1.host')).toBe('mail\n')
    expect((await place.mailtap(['user', 'remove', 'alice'])).code).toBe(67)
  })

  test('removes the mail when that is said twice', async () => {
    const place = await Workplace.withConfig('-u', 'alice')
    await place.write('Maildir/alice/new/1.M1.host', 'mail\n')
    const once = await place.mailtap(['user', 'remove', 'alice', '--mail'])
    expect([once.code, oneLine(once)]).toEqual([64, expect.stringContaining('1 messages')])
    expect(place.has('Maildir/.users/alice')).toBe(true)
    expect((await place.mailtap(['user', 'remove', 'alice', '--mail', '--yes'])).code).toBe(0)
    expect(await readdir(place.file('Maildir'))).toEqual(['.users', 'postmaster'])
  })

  test("keeps the postmaster's mailbox in any case", async () => {
    const place = await Workplace.withConfig('-u', 'postmaster')
    const outcome = await place.mailtap(['user', 'remove', 'PostMaster', '--mail', '--yes'])
    expect([outcome.code, oneLine(outcome)]).toEqual([64, expect.stringContaining('postmaster')])
    expect(place.has('Maildir/postmaster/new')).toBe(true)
  })

  test('removes nothing in a dry run', async () => {
    const place = await Workplace.withConfig('-u', 'alice')
    const { out } = await place.mailtap(['user', 'remove', 'alice', '--mail', '-n'])
    expect(out).toContain('would remove the user alice@example.com\nwould remove 0 messages')
    expect(place.has('Maildir/.users/alice')).toBe(true)
  })
})

describe('mailtap user list and show', () => {
  test('list what is in the files, also what a script dropped there', async () => {
    const place = await Workplace.withConfig('-u', 'alice', '-d', 'b.org=./b')
    await place.write('Maildir/.users/zoe', '{PLAIN}x\n')
    const all = await place.mailtap(['user', 'list'])
    expect(all.out).toBe('alice@example.com\nzoe@example.com\n')
    const json = await place.mailtap(['user', 'list', 'B.ORG', '--json'])
    expect(JSON.parse(json.out)).toEqual([])
    expect((await place.mailtap(['user', 'list', 'c.org'])).code).toBe(67)
  })

  test('show how one can log in, never with what', async () => {
    const place = await Workplace.withConfig()
    await place.write('Maildir/.users/zoe', 'password = "{PLAIN}sesame"\nname = "Zoë"\n')
    const { out } = await place.mailtap(['user', 'show', 'zoe', '--json'])
    expect(JSON.parse(out)).toEqual({
      address: 'zoe@example.com',
      name: 'Zoë',
      login: 'plain',
      mailbox: place.file('Maildir/zoe'),
      messages: null,
    })
    await place.write('Maildir/.users/off', '!\n')
    expect((await place.mailtap(['user', 'show', 'off'])).out).toMatch(/^login {5}none$/m)
  })

  test('tell of a mailbox without a user', async () => {
    const place = await Workplace.withConfig()
    const outcome = await place.mailtap(['user', 'show', 'postmaster'])
    expect([outcome.code, oneLine(outcome)]).toEqual([
      67,
      'no user postmaster@example.com, but a mailbox with 0 messages; ' +
        'to log in to it: mailtap user add postmaster@example.com',
    ])
    expect((await place.mailtap(['user', 'show', 'nobody'])).code).toBe(67)
    expect((await place.mailtap(['user', 'show', '../x'])).code).toBe(65)
  })
})
