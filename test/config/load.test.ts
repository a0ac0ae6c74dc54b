import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config/config.js'
import { ConfigError } from '../../src/config/config-error.js'
import { loadConfig } from '../../src/config/load.js'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mailtap-config-'))
  await mkdir(join(root, 'Maildir'))
  const made = root
  onTestFinished(() => rm(made, { recursive: true, force: true }))
})

const DOMAIN = '[domains."example.com"]\npath = "Maildir"\n'

async function write(name: string, content: string | Buffer): Promise<string> {
  const file = join(root, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
  return file
}

async function load(text: string): Promise<Config> {
  return loadConfig(await write('mailtap.toml', text), ['directory'])
}

/** Every problem, the place without the directory. */
async function problems(text: string): Promise<string[]> {
  try {
    await load(text)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ where, what }) => `${where}: ${what}`.replaceAll(`${root}/`, ''))
  }
}

describe('a config', () => {
  test('has defaults for all but its domains', async () => {
    const config = await load(DOMAIN)
    expect(config).toMatchObject({
      state: join(root, 'mailtap-state'),
      auth: ['directory'],
      listen: { smtp: [], pop3: [], pop3s: [] },
      defaultDomain: 'example.com',
      pop3: { apop: 'auto' },
      tls: null,
      limits: { messageSize: 52_428_800, connections: 10_000 },
      log: { format: 'text', level: 'info' },
    })
    expect(config.hostname).toMatch(/^[a-z0-9.-]+$/)
    expect(config.domains).toEqual({
      'example.com': {
        path: join(root, 'Maildir'),
        bounceToPostmaster: false,
        aliases: join(root, 'Maildir', '.aliases'),
      },
    })
  })

  test('knows domains in one form only', async () => {
    await mkdir(join(root, 'b'))
    const config = await load(
      'default_domain = "BÜCHER.example"\n[domains."Bücher.Example"]\npath = "Maildir"\n[domains.B]\npath = "b"\n',
    )
    expect(Object.keys(config.domains)).toEqual(['xn--bcher-kva.example', 'b'])
    expect(config.defaultDomain).toBe('xn--bcher-kva.example')
  })

  test('has no default domain by itself when there are two', async () => {
    await mkdir(join(root, 'b'))
    expect((await load(`${DOMAIN}[domains.b]\npath = "b"\n`)).defaultDomain).toBeNull()
  })

  test.each(['auto', 'on', 'off'])('may say that APOP is %s', async (apop) => {
    expect((await load(`${DOMAIN}[pop3]\napop = "${apop}"\n`)).pop3).toEqual({ apop })
  })

  test.each([
    ['"50MB"', 52_428_800],
    ['"1kB"', 1024],
    ['"2 GB"', 2_147_483_648],
    ['"700"', 700],
    ['123', 123],
  ])('takes %s for a size', async (written, octets) => {
    const { limits } = await load(`${DOMAIN}[limits]\nmessage_size = ${written}\n`)
    expect(limits.messageSize).toBe(octets)
  })

  test.each([
    '"0x10"',
    '"1e3"',
    '"-1"',
    '""',
    '"50mb"',
    '"50 TB"',
    '0',
    '-1',
    '1.5',
    'true',
    '["1"]',
  ])('does not take %s for a size', async (written) => {
    expect(await problems(`${DOMAIN}[limits]\nmessage_size = ${written}\n`)).toEqual([
      expect.stringContaining('mailtap.toml:4:1: limits.message_size: expected a size such as'),
    ])
  })

  test('is merged with conf.d in name order, tables deep and all else whole', async () => {
    await mkdir(join(root, 'conf.d', 'two'), { recursive: true })
    await write('conf.d/20-b.toml', '[listen]\npop3 = ["2"]\n[limits]\nconnections = 2\n')
    await write('conf.d/10-a.toml', '[limits]\nconnections = 1\n[domains.two]\npath = "two"\n')
    await write('conf.d/.hidden.toml', 'nonsense')
    await write('conf.d/notes.txt', 'nonsense')
    const config = await load(`[listen]\nsmtp = ["1"]\npop3 = ["1", "3"]\n${DOMAIN}`)
    expect(config.listen).toEqual({ smtp: ['1'], pop3: ['2'], pop3s: [] })
    expect(config.limits.connections).toBe(2)
    // Relative to the file that says it.
    expect(config.domains['two']!.path).toBe(join(root, 'conf.d', 'two'))
    expect(config.domains['example.com']!.path).toBe(join(root, 'Maildir'))
  })

  test('names the file of conf.d that is wrong', async () => {
    await write('conf.d/a.toml', '\n[limits]\nconnections = "many"\n')
    expect(await problems(`${DOMAIN}[limits]\nconnections = 5\n`)).toEqual([
      'conf.d/a.toml:3:1: limits.connections: expected a whole number from 1 to 1000000, not this text',
    ])
  })

  test('may name an alias file and a certificate, which must be there', async () => {
    await write('al', '')
    await write('c.pem', '')
    const config = await load(`[tls]\ncert = "c.pem"\nkey = "c.pem"\n${DOMAIN}aliases = "al"\n`)
    expect(config.tls).toEqual({ cert: join(root, 'c.pem'), key: join(root, 'c.pem') })
    expect(config.domains['example.com']!.aliases).toBe(join(root, 'al'))
  })
})

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
      'catch_all = "a@b.org"',
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
      expect.stringMatching(
        /^mailtap\.toml:7:1: listen\.submission: .* is not in this version yet/,
      ),
      "mailtap.toml:8:10: 'a..b' is no domain name",
      'mailtap.toml:10:10: domains."example.com".path: missing; expected a directory, such as "./Maildir"',
      'mailtap.toml:11:1: unknown key "pathh"; known here: path, bounce_to_postmaster, aliases',
      expect.stringMatching(/^mailtap\.toml:13:1: nowhere: no such directory; make it/),
      'mailtap.toml:14:1: domains."c.org".bounce_to_postmaster: expected true or false, not this text',
      'mailtap.toml:15:1: domains."c.org".catch_all: catch_all is not in this version yet; remove this',
      'mailtap.toml:16:2: tls.key: missing; expected a PEM file',
      expect.stringMatching(/^mailtap\.toml:18:2: relay: .* is not in this version yet/),
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
    await mkdir(join(root, 'b'))
    expect(await problems(`${DOMAIN}[domains."EXAMPLE.com"]\npath = "b"\n`)).toEqual([
      "mailtap.toml:3:10: 'EXAMPLE.com' is example.com, which is there already; keep one",
    ])
  })

  test.each(['Maildir', './Maildir/', 'Maildir/sub', '.'])(
    'may be that the directory %j is shared by two domains',
    async (path) => {
      await mkdir(join(root, 'Maildir', 'sub'))
      expect(await problems(`${DOMAIN}[domains.b]\npath = "${path}"\n`)).toEqual([
        'mailtap.toml:4:1: this directory is, holds or lies in that of example.com; give each domain its own',
      ])
    },
  )

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
    await expect(loadConfig(join(root, 'none.toml'), [])).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('does not show what may be a secret in the wrong place', async () => {
    const found = await problems(
      `[limits]\nconnections = "hunter2"\n[log]\nlevel = "hunter2"\n${DOMAIN}`,
    )
    expect(found).toHaveLength(2)
    expect(found.join()).not.toContain('hunter2')
  })
})
