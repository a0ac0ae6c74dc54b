import { mkdir, symlink } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.js'
import { DOMAIN, problems, inRoot, write } from './stage.js'

describe('what is wrong with a config', () => {
  test('is told all at once, from the top, each with its place and what is expected', async () => {
    const text = [
      'hostname = 1',
      'colour = "red"',
      'auth = ["directory", "ldap"]',
      'default_domain = "b.org"',
      '[listen]',
      'smtp = ["25", 110, "x"]',
      'submission = ["587"]',
      '[domains."a..b"]',
      'path = "Maildir"',
      '[domains."example.com"]',
      'pathh = "Maildir"',
      '[domains."c.org"]',
      'path = "nowhere"',
      'bounce_to_postmaster = "yes"',
      'catch_all = "a@b@c"',
      '[tls]',
      'cert = "none.pem"',
      '[relay]',
      'via = []',
      '[log]',
      'level = "loud"',
      '[pop3]',
      'apop = true',
    ].join('\n')
    expect(await problems(text)).toEqual([
      'mailtap.toml:1:1: hostname: expected a host name, such as "mail.example.com", not this number',
      expect.stringMatching(
        /^mailtap\.toml:2:1: unknown key "colour"; known here: hostname, state, /,
      ),
      "mailtap.toml:3:22: 'ldap' is no checker of this version; use directory",
      expect.stringMatching(/^mailtap\.toml:4:1: 'b\.org' is none of the domains here/),
      'mailtap.toml:6:15: listen.smtp[1]: expected an endpoint in quotes, such as "25", not this number',
      expect.stringMatching(/^mailtap\.toml:6:20: listen\.smtp\[2\]: 'x' is no endpoint/),
      "mailtap.toml:8:10: 'a..b' is no domain name",
      'mailtap.toml:10:10: domains."example.com".path: missing; expected a directory, such as "./Maildir"',
      expect.stringMatching(
        /^mailtap\.toml:11:1: unknown key "pathh"; known here: path, bounce_to_postmaster, /,
      ),
      expect.stringMatching(/^mailtap\.toml:13:1: nowhere: no such directory; make it/),
      'mailtap.toml:14:1: domains."c.org".bounce_to_postmaster: expected true or false, not this text',
      'mailtap.toml:15:1: domains."c.org".catch_all: expected an address such as "alice@example.com", not this text',
      'mailtap.toml:16:2: tls.key: missing; expected a PEM file',
      expect.stringMatching(/^mailtap\.toml:19:1: relay\.via: expected a list of 10 at most/),
      'mailtap.toml:21:1: log.level: expected "debug" or "info" or "warn" or "error", not this text',
      'mailtap.toml:23:1: pop3.apop: expected "auto" or "on" or "off", not true',
    ])
  })

  test('is not also that the default domain is wrong when only its domain is', async () => {
    expect(await problems('default_domain = "a.org"\n[domains."a.org"]\npath = 1\n')).toEqual([
      expect.stringMatching(/^mailtap\.toml:3:1: domains\."a\.org"\.path: expected a directory/),
    ])
  })

  test('may be that two spellings mean one domain', async () => {
    await mkdir(inRoot('b'))
    expect(await problems(`${DOMAIN}[domains."EXAMPLE.com"]\npath = "b"\n`)).toEqual([
      "mailtap.toml:3:10: 'EXAMPLE.com' is example.com, which is there already; keep one",
    ])
  })

  test.each(['Maildir', './Maildir/', 'Maildir/sub', '.'])(
    'may be that the directory %j is shared by two domains',
    async (path) => {
      await mkdir(inRoot('Maildir', 'sub'))
      expect(await problems(`${DOMAIN}[domains.b]\npath = "${path}"\n`)).toEqual([
        'mailtap.toml:4:1: this directory is, holds or lies in that of example.com; give each domain its own',
      ])
    },
  )

  test('may be that a directory is shared by way of a link, which is fine for one', async () => {
    await symlink('Maildir', inRoot('link'))
    expect(await problems('[domains.b]\npath = "link"\n')).toEqual([])
    expect(await problems(`${DOMAIN}[domains.b]\npath = "link"\n`)).toEqual([
      'mailtap.toml:4:1: this directory is, holds or lies in that of example.com; give each domain its own',
    ])
  })

  test('may be that two listeners want one port', async () => {
    const listen = '[listen]\nsmtp = ["26", "25"]\npop3 = ["127.0.0.1:25"]\n'
    expect(await problems(`${listen}${DOMAIN}`)).toEqual([
      "mailtap.toml:3:9: '127.0.0.1:25' is taken by listen.smtp[1] ('25'); choose another port",
    ])
  })

  test('may be that files are missing, or are something else', async () => {
    const text = `[tls]\ncert = "no.pem"\nkey = "Maildir"\n${DOMAIN}aliases = "no"\n[domains.b]\npath = "mailtap.toml"\n`
    expect(await problems(text)).toEqual([
      'mailtap.toml:2:1: no.pem: no such file',
      'mailtap.toml:3:1: Maildir is no file',
      'mailtap.toml:6:1: no: no such file',
      'mailtap.toml:8:1: mailtap.toml is no directory',
    ])
  })

  test.each(['constructor', 'toString', 'hasOwnProperty'])('may be the key %s', async (key) => {
    expect(await problems(`${key} = 1\n${DOMAIN}`)).toEqual([
      expect.stringMatching(`^mailtap\\.toml:1:1: unknown key "${key}"`),
    ])
  })

  test('may be that it is no TOML, and then so for each file', async () => {
    await write('conf.d/a.toml', 'b = [')
    expect(await problems('\nx =\n')).toEqual([
      expect.stringMatching(/^mailtap\.toml:\d:\d: /),
      expect.stringMatching(/^conf\.d\/a\.toml:1:/),
    ])
  })

  test('may be that it is no text', async () => {
    const file = await write('mailtap.toml', Buffer.from([0x61, 0xff, 0x0a]))
    await expect(loadConfig(file, [])).rejects.toThrow('not UTF-8')
    await expect(loadConfig(inRoot('none.toml'), [])).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('does not show what may be a secret in the wrong place', async () => {
    const found = await problems(
      `[limits]\nconnections = "hunter2"\n[log]\nlevel = "hunter2"\n${DOMAIN}`,
    )
    expect(found).toHaveLength(2)
    expect(found.join()).not.toContain('hunter2')
  })
})
