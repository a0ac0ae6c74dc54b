import { mkdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { DOMAIN, load, problems, inRoot, write } from './stage.js'
import { byProtocol } from '../../src/config/protocols.js'

const POP3 = {
  plaintext: 'tls-only',
  apop: 'auto',
  scram: 'auto',
  loginDelay: 0,
  takeoverAfter: 0,
  expire: 'NEVER',
  language: 'en',
  utf8: 'as-is',
}
describe('a config', () => {
  test('may limit mailboxes, of all domains and of one', async () => {
    await mkdir(inRoot('a'), { recursive: true })
    await mkdir(inRoot('b'), { recursive: true })
    const { domains } = await load(
      `${DOMAIN}[domains."a.org"]\npath = "a"\nquota = "none"\n[domains."b.org"]\npath = "b"\n` +
        'quota = "5 messages"\n[mailboxes]\nquota = "1kB"\n',
    )
    expect(domains['example.com']?.quota).toEqual({ bytes: 1024, messages: null })
    expect(domains['a.org']?.quota).toBeNull()
    expect(domains['b.org']?.quota).toEqual({ bytes: null, messages: 5 })
  })

  test('may keep deleted mail for other times, or not at all', async () => {
    expect((await load(`${DOMAIN}[mailboxes]\ntrash = "off"\n`)).mailboxes.trashMs).toBeNull()
    const week = await load(`${DOMAIN}[mailboxes]\ntrash = "7d"\n`)
    expect(week.mailboxes.trashMs).toBe(7 * 24 * 3_600_000)
    for (const wrong of ['0d', '7', '7h', '-1d', 'on']) {
      expect(await problems(`${DOMAIN}[mailboxes]\ntrash = "${wrong}"\n`)).toEqual([
        expect.stringContaining('mailboxes.trash: expected days such as "30d", or "off"'),
      ])
    }
  })

  test('has defaults for all but its domains', async () => {
    const config = await load(DOMAIN)
    expect(config).toMatchObject({
      state: inRoot('mailtap-state'),
      auth: ['directory'],
      rehash: false,
      listen: byProtocol(() => []),
      defaultDomain: 'example.com',
      pop3: POP3,
      submission: { anySender: false },
      mailboxes: { trashMs: 30 * 24 * 3_600_000 },
      tls: null,
      limits: { messageSize: 52_428_800, connections: 10_000 },
      log: { format: 'text', level: 'info' },
    })
    expect(config.hostname).toMatch(/^[a-z0-9.-]+$/)
    expect(config.domains).toEqual({
      'example.com': {
        path: inRoot('Maildir'),
        bounceToPostmaster: false,
        catchAll: null,
        deliver: null,
        quota: null,
        tls: null,
        aliases: inRoot('Maildir', '.aliases'),
      },
    })
  })

  test('knows domains in one form only', async () => {
    await mkdir(inRoot('b'))
    const config = await load(
      'default_domain = "BÜCHER.example"\n[domains."Bücher.Example"]\npath = "Maildir"\n[domains.B]\npath = "b"\n',
    )
    expect(Object.keys(config.domains)).toEqual(['xn--bcher-kva.example', 'b'])
    expect(config.defaultDomain).toBe('xn--bcher-kva.example')
  })

  test('has no default domain by itself when there are two', async () => {
    await mkdir(inRoot('b'))
    expect((await load(`${DOMAIN}[domains.b]\npath = "b"\n`)).defaultDomain).toBeNull()
  })

  test.each(['auto', 'on', 'off'])('may say that APOP is %s', async (apop) => {
    expect((await load(`${DOMAIN}[pop3]\napop = "${apop}"\n`)).pop3).toMatchObject({
      ...POP3,
      apop,
    })
  })

  test.each(['as-is', 'strict'])('may say that UTF-8 is sent %s', async (utf8) => {
    expect((await load(`${DOMAIN}[pop3]\nutf8 = "${utf8}"\n`)).pop3).toEqual({ ...POP3, utf8 })
  })

  test('says what the key for UTF-8 can be', async () => {
    await expect(load(`${DOMAIN}[pop3]\nutf8 = true\n`)).rejects.toThrow(
      'pop3.utf8: expected "as-is" or "strict", not true',
    )
  })

  test.each([0, 10, 600])('takes %d seconds for a takeover', async (seconds) => {
    const { pop3 } = await load(`${DOMAIN}[pop3]\ntakeover_after = ${seconds}\n`)
    expect(pop3.takeoverAfter).toBe(seconds)
  })

  test.each([-1, 1, 9, 601, 10.5, '"30s"'])('takes no %s for a takeover', async (written) => {
    await expect(load(`${DOMAIN}[pop3]\ntakeover_after = ${written}\n`)).rejects.toThrow(
      'pop3.takeover_after: expected 0 for never, or seconds from 10 to 600',
    )
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
    await mkdir(inRoot('conf.d', 'two'), { recursive: true })
    await write('conf.d/20-b.toml', '[listen]\npop3 = ["2"]\n[limits]\nconnections = 2\n')
    await write('conf.d/10-a.toml', '[limits]\nconnections = 1\n[domains.two]\npath = "two"\n')
    await write('conf.d/.hidden.toml', 'nonsense')
    await write('conf.d/notes.txt', 'nonsense')
    const config = await load(`[listen]\nsmtp = ["1"]\npop3 = ["1", "3"]\n${DOMAIN}`)
    expect(config.listen).toEqual({ ...byProtocol(() => []), smtp: ['1'], pop3: ['2'] })
    expect(config.limits.connections).toBe(2)
    // Relative to the file that says it.
    expect(config.domains['two']!.path).toBe(inRoot('conf.d', 'two'))
    expect(config.domains['example.com']!.path).toBe(inRoot('Maildir'))
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
    expect(config.tls).toEqual({ cert: inRoot('c.pem'), key: inRoot('c.pem') })
    expect(config.domains['example.com']!.aliases).toBe(inRoot('al'))
  })
})
