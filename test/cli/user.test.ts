import { readdir } from 'node:fs/promises'
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
    expect(await place.read('Maildir/.users/alice')).toMatch(
      /^password = "\$argon2id\$\S+"\nscram = "SCRAM-SHA-256\$100000:\S+" #.*\n$/,
    )
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
    '..\\\\..\\\\x',
    '/etc/x',
    'a b',
    'a"b',
    'a@b',
    '|cmd',
    ';id;',
    '`id`',
    '$(id)',
    ':include:/etc/shadow',
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

  test.each(['u@../local', 'u@..', 'u@example.com/..', 'u@/etc/passwd', 'u@./example.com'])(
    'refuses the domain of %j and opens no file for it',
    async (address) => {
      const place = await Workplace.withFiles()
      const outcome = await place.mailtap(['user', 'add', address, '--generate'])
      expect([outcome.code, oneLine(outcome)]).toEqual([
        67,
        expect.stringContaining('is no domain of this config'),
      ])
      expect(await readdir(place.file('Maildir/.users'))).toEqual([])
      expect(await readdir(place.path)).toEqual(['Maildir', 'mailtap.toml'])
    },
  )

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
