import { readdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

const LINE = ['create', '-d', 'example.com=./Maildir', '-p', '110', '-s', '25']

describe('mailtap create', () => {
  test('makes all that the first line which people type asks for', async () => {
    const place = await Workplace.make()
    const { code, out, err } = await place.mailtap(LINE)
    expect([code, err]).toEqual([0, ''])
    const config = await place.read('mailtap.toml')
    expect(config).toMatch(/^\[listen\]\nsmtp = \["25"\]\n(?:.+\n)*pop3 = \["110"\]\n/m)
    expect(config).toContain('[domains."example.com"]\npath = "./Maildir"\n')
    expect(config).toContain('default_domain = "example.com"')
    expect(config.match(/^# /gm)!.length).toBeGreaterThan(5)
    expect(await readdir(place.file('Maildir/postmaster'))).toEqual(['cur', 'new', 'tmp'])
    expect(out).toContain('wrote mailtap.toml')
    expect(out).toContain('  mailtap user add alice@example.com\n  mailtap check\n  mailtap run\n')
  })

  test('lets nobody else into what it makes, whatever the umask', async () => {
    const place = await Workplace.make()
    const before = process.umask(0)
    try {
      expect((await place.mailtap([...LINE, '-u', 'alice'])).code).toBe(0)
    } finally {
      process.umask(before)
    }
    for (const directory of ['Maildir', 'Maildir/.users', 'Maildir/alice', 'Maildir/alice/new']) {
      expect([directory, await place.mode(directory)]).toEqual([directory, '700'])
    }
    expect(await place.mode('Maildir/postmaster')).toBe('700')
    expect(await place.mode('Maildir/.users/alice')).toBe('600')
    expect(await place.mode('mailtap.toml')).toBe('600')
  })

  test('gives options to the -d before them', async () => {
    const place = await Workplace.make()
    await place.write('al', 'info: bob\n')
    const one = ['-d', 'one.org=./one', '-u', 'alice', '-b']
    const two = ['-d', 'two.org=./two', '-u', 'bob', '-A', 'al', '-D']
    const { code, out } = await place.mailtap(['create', ...one, ...two])
    expect(code).toBe(0)
    expect(out).toMatch(/^user alice@one\.org, password [a-z2-9]{20}$/m)
    expect(out).toMatch(/^user bob@two\.org, password [a-z2-9]{20}$/m)
    const shown = await place.mailtap(['config', 'show', '--json'])
    expect(JSON.parse(shown.out)).toMatchObject({
      default_domain: 'two.org',
      domains: {
        'one.org': { bounce_to_postmaster: true, aliases: place.file('one/.aliases') },
        'two.org': { bounce_to_postmaster: false, aliases: place.file('al') },
      },
    })
  })

  test('prints a generated password once, and it is the right one', async () => {
    const place = await Workplace.make()
    const { out } = await place.mailtap([...LINE, '-u', 'alice'])
    const password = /password (\S+)/.exec(out)![1]!
    expect(out.split(password)).toHaveLength(2)
    expect(await place.read('Maildir/.users/alice')).toMatch(/^password = "\$argon2id\$/)
    const verify = ['hash', '--verify', 'Maildir/.users/alice', '--password-stdin']
    expect((await place.mailtap(verify, { input: password })).code).toBe(0)
  })

  test('takes a password from the command line with a warning, and does not repeat it', async () => {
    const place = await Workplace.make()
    const { code, out, err } = await place.mailtap([...LINE, '-u', 'alice=open=sesame'])
    expect(code).toBe(0)
    expect(err).toMatch(/^mailtap: warning: a password on the command line can be seen/)
    expect(out + err).not.toContain('sesame')
    const verify = ['hash', '--verify', 'Maildir/.users/alice', '--password-stdin']
    expect((await place.mailtap(verify, { input: 'open=sesame\n' })).code).toBe(0)
  })

  test('writes all server options into the config', async () => {
    const place = await Workplace.make()
    const pop3 = ['-p', '[::1]:110', '-p', '127.0.0.1:110', '--pop3s', '995']
    const own = ['--submission', '587', '--submissions', '465', '--lmtp', 'unix:/run/lmtp?mode=660']
    const endpoints = ['-s', 'none', ...own, ...pop3]
    const { code } = await place.mailtap([
      'create',
      ...['-d', 'example.com=Maildir', '-H', 'MAIL.example.com', '--state', 'var'],
      ...['--auth', 'directory', ...endpoints],
    ])
    expect(code).toBe(0)
    const shown = await place.mailtap(['config', 'show', '--json'])
    expect(JSON.parse(shown.out)).toMatchObject({
      hostname: 'mail.example.com',
      state: place.file('var'),
      auth: ['directory'],
      listen: {
        smtp: [],
        submission: ['587'],
        submissions: ['465'],
        lmtp: ['unix:/run/lmtp?mode=660'],
        pop3: ['[::1]:110', '127.0.0.1:110'],
        pop3s: ['995'],
      },
    })
  })

  test('writes paths so that they are right from the place of the config', async () => {
    const place = await Workplace.make()
    await place.write('etc/keep', '')
    const domains = ['-d', 'in.org=etc/in', '-d', 'out.org=out']
    expect((await place.mailtap(['create', '-o', 'etc/m.toml', ...domains])).code).toBe(0)
    const shown = await place.mailtap(['domain', 'list', '-c', 'etc/m.toml'])
    expect(shown.out).toBe(`in.org\t${place.file('etc/in')}\nout.org\t${place.file('out')}\n`)
    expect(await place.read('etc/m.toml')).toContain('path = "./in"')
  })

  test('never overwrites a config, unless it is told to', async () => {
    const place = await Workplace.make()
    await place.write('mailtap.toml', '# mine\n')
    const refused = await place.mailtap(LINE)
    expect(refused.code).toBe(73)
    expect(oneLine(refused)).toBe(
      'mailtap.toml is there already; add to it with --append, or replace it with --force',
    )
    expect(await place.read('mailtap.toml')).toBe('# mine\n')
    expect(place.has('Maildir')).toBe(false)
    expect((await place.mailtap([...LINE, '--force'])).code).toBe(0)
    expect(await place.read('mailtap.toml')).toContain('[listen]')
  })

  test('keeps users, passwords and mail that are there', async () => {
    const place = await Workplace.make()
    await place.mailtap([...LINE, '-u', 'alice'])
    await place.write('Maildir/alice/new/1.M1.host', 'mail\n')
    const hash = await place.read('Maildir/.users/alice')
    const again = await place.mailtap([...LINE, '-u', 'alice=other', '--force'])
    expect(again.out).toContain('user alice@example.com was there already and is unchanged')
    expect(await place.read('Maildir/.users/alice')).toBe(hash)
    expect(await place.read('Maildir/alice/new/1.M1.host')).toBe('mail\n')
  })

  test('writes nothing in a dry run', async () => {
    const place = await Workplace.make()
    const { code, out } = await place.mailtap([...LINE, '-u', 'alice', '-n'])
    expect(code).toBe(0)
    expect(out).toBe(
      'would make the domain example.com in ./Maildir, with the mailbox postmaster\n' +
        'would make the user alice@example.com\nwould write mailtap.toml\n',
    )
    expect(await readdir(place.path)).toEqual([])
  })

  test('uses the certificate that it is given, after a look at it', async () => {
    const place = await Workplace.make()
    await place.write('cert.pem', 'no certificate')
    const tls = ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem']
    const refused = await place.mailtap([...LINE, ...tls])
    expect(refused.code).toBe(65)
    expect(oneLine(refused)).toContain('.pem')
    expect(await readdir(place.path)).toEqual(['cert.pem'])
  })

  test('lists the checkers and explains one', async () => {
    const place = await Workplace.make()
    const all = await place.mailtap(['create', '--help-auth'])
    expect([all.code, all.out]).toEqual([0, expect.stringContaining('  directory   ')])
    const one = await place.mailtap(['create', '--help-auth', 'directory'])
    expect([one.code, one.out]).toEqual([0, expect.stringContaining("example: --auth 'directory'")])
    const none = await place.mailtap(['create', '--help-auth', 'radius'])
    expect([none.code, oneLine(none)]).toEqual([69, expect.stringContaining('there is: directory')])
  })
})

describe('mailtap create refuses', () => {
  const D = ['-d', 'example.com=./Maildir']

  test.each<[number, string[], string]>([
    [64, [], 'name at least one domain'],
    [64, ['-d', 'example.com'], 'write NAME=PATH'],
    [64, ['-d', 'example.com='], 'write NAME=PATH'],
    [64, ['-d', '-x-=./m'], 'no domain name'],
    [64, ['-d', '../x=./m'], 'no domain name'],
    [64, [...D, '-d', 'EXAMPLE.com=./b'], 'named twice'],
    [64, [...D, '-d', 'b.org=./Maildir/b'], 'directory'],
    [64, ['-u', 'alice', ...D], 'put -d NAME=PATH first'],
    [64, ['-b', ...D], 'put -d NAME=PATH first'],
    [64, ['-A', 'x', ...D], 'put -d NAME=PATH first'],
    [64, ['-D', ...D], 'put -d NAME=PATH first'],
    [64, [...D, '-u', 'alice', '-u', 'ALICE'], 'named twice'],
    [65, [...D, '-u', '../../etc/passwd'], "can not be a user's name"],
    [65, [...D, '-u', '..'], "can not be a user's name"],
    [65, [...D, '-u', 'a/b'], "can not be a user's name"],
    [65, [...D, '-u', 'alice='], 'the password is empty'],
    [65, [...D, '-A', 'nowhere'], '-A nowhere: no such file'],
    [64, [...D, '-s', '99999'], 'port'],
    [64, [...D, '-p', 'localhost:110'], 'localhost'],
    [64, [...D, '-s', '0x19'], '0x19'],
    [64, [...D, '-s', 'none', '-s', '25'], 'keep one'],
    [64, [...D, '-s', '25', '-p', '25'], 'two listeners want 25'],
    [64, [...D, '-s', '25', '-s', '25'], 'two listeners want 25'],
    [64, [...D, '-s', '25', '-p', '127.0.0.1:25'], '(25 takes it)'],
    [64, ['-d', 'a.org=.'], 'the config (mailtap.toml) would lie among its mailboxes'],
    [64, [...D, '--state', 'Maildir/state'], 'the state directory (Maildir/state) would lie'],
    [64, [...D, '-H', 'a b'], 'no host name'],
    [64, [...D, '--tls-cert', 'c'], 'go together'],
    [64, [...D, '--auth', 'directory:x'], 'takes no argument'],
    [64, [...D, '--auth', ''], 'TYPE'],
    [64, [...D, '--submission', 'x'], '--submission'],
    [64, [...D, '--lmtp', '70000'], '--lmtp'],
    [64, [...D, '-C', 'nobody'], '-C nobody: no address'],
    [64, [...D, '-R', 'http://a'], '-R: expected "smtp://[user@]host[:port]"'],
    [64, [...D, '-R', 'smtp://joe:pw@a.org'], 'no password belongs into the URL'],
    [64, [...D, '-R', 'mx', '-R', 'smtp://a.org'], '-R mx stands alone'],
    [64, [...D, '-R', 'smtps://joe@a.org'], 'no password of joe at a.org given; use --relay-pass'],
    [64, [...D, '-R', 'smtp://a@a.org', '-R', 'smtp://b@b.org'], 'several logins share one'],
    [64, [...D, '-R', 'mx', '--relay-password-file', 'x'], 'nobody logs in'],
    [64, [...D, '--relay-password-file', 'x'], 'nobody logs in'],
    [65, [...D, '-R', 'smtps://joe@a.org', '--relay-password-file', 'x'], 'x: no such file'],
    [64, [...D, '--uid', '-1'], '--uid'],
    [64, [...D, '--gid', '0x0'], '--gid'],
    [64, [...D, 'more'], 'too many arguments'],
    [64, [...D, '--sumbission', '587'], "unknown option '--sumbission'"],
    [73, [...D, '-o', 'no/where/m.toml'], 'no such directory'],
    [64, [...D, '-C', 'a@b.org', '-b'], '-b and -C of example.com'],
    [69, [...D, '--uid', 'mail'], '--uid'],
    [69, [...D, '--gid', '8'], '--gid'],
    [69, [...D, '--auth', 'radius:uri'], '--auth radius'],
    [69, [...D, '-s', 'systemd:smtp'], 'socket activation'],
    [64, [...D, '-p', '110?proxy=10.0.0.1/8'], 'use 10.0.0.0/8'],
  ])('with %d: %j', async (code, args, words) => {
    const place = await Workplace.make()
    const outcome = await place.mailtap(['create', ...args])
    expect(oneLine(outcome)).toContain(words)
    expect(outcome.code).toBe(code)
    expect(outcome.out + outcome.err).not.toContain(':pw@')
    expect(await readdir(place.path)).toEqual([])
  })
})

test('a catch-all goes into the config as it was asked for', async () => {
  const place = await Workplace.make()
  const line = ['create', '-d', 'a.org=./a', '-C', 'alice@a.org', '-d', 'b.org=./b', '-b']
  expect((await place.mailtap(line)).code).toBe(0)
  const config = await place.read('mailtap.toml')
  expect(config).toMatch(/^path = "\.\/a"\n# .*\ncatch_all = "alice@a\.org"$/m)
  const { out } = await place.mailtap(['config', 'show', '--json'])
  expect(JSON.parse(out)).toMatchObject({
    mailboxes: { tag_separator: '+' },
    domains: { 'a.org': { catch_all: 'alice@a.org' }, 'b.org': { bounce_to_postmaster: true } },
  })
})
