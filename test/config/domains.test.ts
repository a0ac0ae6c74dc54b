import { mkdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { DOMAIN, inRoot, load, problems } from './stage.js'

describe('a domain', () => {
  test('says where unknown users and its own users get their mail', async () => {
    const config = await load(
      `[mailboxes]\ntag_separator = "-"\n${DOMAIN}catch_all = "Joe@B.example"\ndeliver = "lmtp:localhost:24"\n`,
    )
    expect(config.tagSeparator).toBe('-')
    expect(config.domains['example.com']).toMatchObject({
      catchAll: { local: 'Joe', domain: 'b.example' },
      deliver: { kind: 'tcp', host: 'localhost', port: 24 },
    })
  })

  test('says nothing of that unless it is asked to', async () => {
    const config = await load(DOMAIN)
    expect(config.tagSeparator).toBe('+')
    expect(config.aliasDomains).toEqual({})
    expect(config.domains['example.com']).toMatchObject({ catchAll: null, deliver: null })
  })

  test('may be another name of a domain', async () => {
    const config = await load(`${DOMAIN}[domains."B.Example"]\nalias_of = "EXAMPLE.com"\n`)
    expect(config.aliasDomains).toEqual({ 'b.example': 'example.com' })
    expect(Object.keys(config.domains)).toEqual(['example.com'])
    expect(config.defaultDomain).toBe('example.com')
  })

  test.each([
    [
      'alias_of = "c.example"',
      "5:1: 'c.example' is none of the domains here that have a path: example.com",
    ],
    ['alias_of = "b.example"', "5:1: 'b.example' is none of the domains here"],
    ['alias_of = "example.com"\npath = "Maildir"', '6:1: path has no effect beside alias_of'],
    [
      'alias_of = "example.com"\nbounce_to_postmaster = false',
      '6:1: bounce_to_postmaster has no effect',
    ],
    ['catch_all = "a@b.org"', '4:10: domains."b.example".path: missing; expected a directory'],
  ])('is wrong that says %j', async (text, what) => {
    const found = await problems(`\n${DOMAIN}[domains."b.example"]\n${text}\n`)
    expect(found).toEqual([expect.stringContaining(`mailtap.toml:${what}`)])
  })

  test('may be named once only, as an alias domain too', async () => {
    const again = '[domains."Example.com"]\nalias_of = "example.com"\n'
    expect(await problems(`${DOMAIN}${again}`)).toEqual([
      "mailtap.toml:3:10: 'Example.com' is example.com, which is there already; keep one",
    ])
  })

  test('sends mail for unknown users to one place', async () => {
    await mkdir(inRoot('b'))
    const text = `${DOMAIN}bounce_to_postmaster = true\ncatch_all = "a@b.org"\n`
    expect(await problems(text)).toEqual([
      'mailtap.toml:4:1: beside bounce_to_postmaster; keep one of both',
    ])
  })

  test.each(['a@b@c', 'alice', ''])('has no catch-all %j', async (said) => {
    expect((await problems(`${DOMAIN}catch_all = "${said}"\n`)).join()).toContain(
      'expected an address',
    )
  })

  test.each([
    'lmtp:unix:x',
    'lmtp:24',
    'lmtp:h:0',
    'lmtp:h:65536',
    'lmtp:h h:24',
    'lmtp:[h]:24',
    'smtp:h:24',
    '|cat',
  ])('has no LMTP server at %j', async (said) => {
    expect((await problems(`${DOMAIN}deliver = "${said}"\n`)).join()).toContain('"lmtp:unix:/path"')
  })

  test.each(['++', 'a', ' ', '@', '/'])('has users without the separator %j', async (said) => {
    const found = await problems(`[mailboxes]\ntag_separator = "${said}"\n${DOMAIN}`)
    expect(found.join()).toContain('mailtap.toml:2:1: mailboxes.tag_separator: expected one of')
  })
})
