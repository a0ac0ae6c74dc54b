import { describe, expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

describe('the config of a command', () => {
  test('comes from -c before or after the command, MAILTAP_CONFIG, or ./mailtap.toml', async () => {
    const place = await Workplace.withConfig()
    await place.mailtap(['create', '-o', 'other.toml', '-d', 'other.org=./other'])
    const list = ['domain', 'list']
    const env = { MAILTAP_CONFIG: 'other.toml' }
    expect((await place.mailtap(list)).out).toMatch(/^example\.com\t/)
    expect((await place.mailtap([...list, '-c', 'other.toml'])).out).toMatch(/^other\.org\t/)
    expect((await place.mailtap(['-c', 'other.toml', ...list])).out).toMatch(/^other\.org\t/)
    expect((await place.mailtap(list, { env })).out).toMatch(/^other\.org\t/)
    expect((await place.mailtap([...list, '-c', 'mailtap.toml'], { env })).out).toMatch(/^example/)
  })

  test('that is not there is named, with what to do', async () => {
    const place = await Workplace.make()
    const none = await place.mailtap(['user', 'list', '-c', 'no.toml'])
    expect([none.code, oneLine(none)]).toEqual([
      78,
      "no.toml: no such file; name the config with -c FILE or make one with 'mailtap create'",
    ])
    const directory = await place.mailtap(['user', 'list', '-c', '.'])
    expect([directory.code, oneLine(directory)]).toEqual([78, '.: a directory, not a config'])
  })

  test('is shown whole, so that what is shown is a config again', async () => {
    const place = await Workplace.withConfig('-b')
    const shown = await place.mailtap(['config', 'show'])
    await place.write('again.toml', shown.out.replace(/^aliases = .*\n/m, ''))
    const again = await place.mailtap(['config', 'show', '-c', 'again.toml'])
    expect(again.out).toBe(shown.out)
    const json = await place.mailtap(['config', 'show', '--json'])
    expect(JSON.parse(json.out)).toMatchObject({
      state: place.file('mailtap-state'),
      limits: { message_size: 52_428_800, connections: 10_000 },
      pop3: { apop: 'auto' },
      log: { format: 'text', level: 'info' },
      domains: { 'example.com': { path: place.file('Maildir'), bounce_to_postmaster: true } },
    })
  })

  test('has a JSON Schema', async () => {
    const place = await Workplace.make()
    const { code, out } = await place.mailtap(['config', 'schema'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      additionalProperties: false,
      properties: { hostname: { type: 'string' }, uid: { not: {} } },
    })
  })
})

describe('the command line', () => {
  test.each([
    ['start'],
    ['stop'],
    ['user', 'enable', 'a'],
    ['domain', 'add', '-x'],
    ['who'],
    ['console'],
    ['run', '-y', 'app.js'],
  ])('says that "%s %s" is not built yet', async (...words) => {
    const place = await Workplace.make()
    const outcome = await place.mailtap(words)
    expect([outcome.code, oneLine(outcome)]).toEqual([
      69,
      expect.stringMatching(/is not in this version yet$/),
    ])
  })

  test.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['user', 'ad'], 'Did you mean add?'],
    [['user', 'add'], "missing required argument 'address'"],
    [['user', 'list', 'a', 'b'], 'too many arguments'],
    [['run', '--no'], "unknown option '--no'"],
    [['-c', 'x', 'create'], 'reads no config'],
  ])('refuses %j', async (words, text) => {
    const place = await Workplace.make()
    const outcome = await place.mailtap(words)
    expect([outcome.code, oneLine(outcome)]).toEqual([64, expect.stringContaining(text)])
  })

  test('explains every command and every option', async () => {
    const place = await Workplace.make()
    const { code, out } = await place.mailtap(['create', '--help'])
    expect(code).toBe(0)
    for (const option of ['--domain', '--catch-all', '--lmtp', '--relay', '--uid', '--force']) {
      expect(out).toMatch(new RegExp(`^ +(-\\S, )?${option}( <\\S+>)? +\\S.*`, 'm'))
    }
    expect((await place.mailtap(['--help'])).out).toContain('hash [options]')
    expect((await place.mailtap(['user'])).code).toBe(64)
    expect((await place.mailtap(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
