import { chmod, symlink } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

const APPEND = ['create', '--append', '-d', 'two.org=./two']

describe('mailtap create --append', () => {
  test('adds a domain at the end and leaves all else byte for byte', async () => {
    const place = await Workplace.withConfig()
    const before = `# by hand \t\r\n${await place.read('mailtap.toml')}# the last word, no line end`
    await place.write('mailtap.toml', before)
    const { code } = await place.mailtap([...APPEND, '-u', 'bob', '-b'])
    expect(code).toBe(0)
    const after = await place.read('mailtap.toml')
    expect(after.startsWith(before)).toBe(true)
    expect(after.slice(before.length)).toBe(
      '\n\n[domains."two.org"]\npath = "./two"\n' +
        '# Mail for unknown users goes to postmaster.\nbounce_to_postmaster = true\n',
    )
    expect((await place.mailtap(['user', 'show', 'bob@two.org'])).code).toBe(0)
  })

  test('makes a config if there is none, so that a script needs one command', async () => {
    const place = await Workplace.make()
    for (const name of ['a.org', 'b.org', 'c.org']) {
      const { code } = await place.mailtap(['create', '-a', '-d', `${name}=./${name}`])
      expect(code).toBe(0)
    }
    const { out } = await place.mailtap(['domain', 'list', '--json'])
    const domains = JSON.parse(out) as { name: string; default: boolean }[]
    expect(domains.map(({ name }) => name)).toEqual(['a.org', 'b.org', 'c.org'])
    // Those who logged in as "alice" before the second domain came still can.
    expect(domains.map((domain) => domain.default)).toEqual([true, false, false])
  })

  test('warns when logins without a domain stop to work by it', async () => {
    const place = await Workplace.withConfig()
    await place.write('mailtap.toml', '[domains."example.com"]\npath = "Maildir"\n')
    const { code, err } = await place.mailtap(APPEND)
    expect(code).toBe(0)
    expect(err).toContain('write at the top of mailtap.toml: default_domain = "example.com"')
  })

  test('keeps the permissions of the file, and a link a link', async () => {
    const place = await Workplace.withConfig()
    await chmod(place.file('mailtap.toml'), 0o640)
    await symlink('mailtap.toml', place.file('link.toml'))
    expect((await place.mailtap([...APPEND, '-o', 'link.toml'])).code).toBe(0)
    expect(await place.mode('mailtap.toml')).toBe('640')
    expect(await place.read('mailtap.toml')).toContain('two.org')
  })

  test.each<[string, string[], string]>([
    ['a hostname', ['-H', 'x.org'], 'hostname is set there already'],
    ['a listener', ['-s', '26'], 'listen.smtp is set there already'],
    ['another listener', ['-p', '26'], 'listen.pop3 is set there already'],
    ['a state directory', ['--state', 's'], 'state is set there already'],
    ['a checker', ['--auth', 'directory'], 'auth is set there already'],
    ['a default domain', ['-D'], 'default_domain is set there already'],
  ])('says where %s stands already', async (_what, options, words) => {
    const place = await Workplace.withConfig()
    const before = await place.read('mailtap.toml')
    const outcome = await place.mailtap([...APPEND, ...options])
    expect(outcome.code).toBe(64)
    expect(oneLine(outcome)).toMatch(/^--[\w-]+: mailtap\.toml:\d+:1: /)
    expect(oneLine(outcome)).toContain(words)
    expect(await place.read('mailtap.toml')).toBe(before)
    expect(place.has('two')).toBe(false)
  })

  test('does not pretend to add what the end of a file cannot say', async () => {
    const place = await Workplace.withConfig()
    await place.write('mailtap.toml', '[domains."example.com"]\npath = "Maildir"\n')
    const outcome = await place.mailtap([...APPEND, '-s', '26'])
    expect(outcome.code).toBe(64)
    expect(oneLine(outcome)).toContain('write listen.smtp into mailtap.toml by hand')
  })

  test.each([
    ['the same domain', 'EXAMPLE.com=./other', 'example.com is there already'],
    ['a directory inside of another', 'two.org=./Maildir/two', 'give two.org its own'],
  ])('refuses %s', async (_what, domain, words) => {
    const place = await Workplace.withConfig()
    const outcome = await place.mailtap(['create', '-a', '-d', domain])
    expect(outcome.code).toBe(73)
    expect(oneLine(outcome)).toMatch(/^mailtap\.toml:\d+:\d+: /)
    expect(oneLine(outcome)).toContain(words)
  })

  test('refuses a directory that a domain has under another name', async () => {
    const place = await Workplace.withConfig()
    await symlink('Maildir', place.file('link'))
    const one = await place.mailtap(['create', '-a', '-d', 'two.org=./link'])
    expect([one.code, oneLine(one)]).toEqual([73, expect.stringContaining('give two.org its own')])
    const both = ['-d', 'a.org=./link', '-d', 'b.org=./Maildir/b']
    const two = await place.mailtap(['create', '-o', 'new.toml', ...both])
    expect([two.code, oneLine(two)]).toEqual([64, expect.stringContaining('in that of a.org')])
    expect(place.has('new.toml')).toBe(false)
  })

  test('refuses a file that would no longer be TOML', async () => {
    const place = await Workplace.withConfig()
    const inline = 'domains = { "example.com" = { path = "Maildir" } }\n'
    await place.write('mailtap.toml', inline)
    const outcome = await place.mailtap(APPEND)
    expect([outcome.code, oneLine(outcome)]).toEqual([73, expect.stringContaining('by hand')])
    expect(await place.read('mailtap.toml')).toBe(inline)
  })

  test('refuses to add to a config that is wrong', async () => {
    const place = await Workplace.make()
    await place.write('mailtap.toml', 'wrong = 1\n')
    const outcome = await place.mailtap(APPEND)
    expect([outcome.code, oneLine(outcome)]).toEqual([78, expect.stringContaining('unknown key')])
  })
})
