import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addDomains,
  newConfig,
  tomlString,
  tomlValue,
  type NewConfig,
} from '../../src/config/edit.js'
import { byProtocol } from '../../src/config/protocols.js'
import { checkForm } from '../../src/config/schema.js'
import { parseToml } from '../../src/toml/toml.js'

const CONFIG: NewConfig = {
  hostname: 'mail.example.com',
  state: 'mailtap-state',
  auth: ['directory'],
  defaultDomain: 'example.com',
  listen: { ...byProtocol(() => []), smtp: ['25'], pop3: ['110'] },
  tls: { cert: 'c.pem', key: 'k.pem' },
  relay: null,
  domains: [
    {
      name: 'example.com',
      path: './Maildir',
      bounceToPostmaster: true,
      catchAll: null,
      aliases: 'al',
    },
  ],
}

/** Any text, some of it with what TOML treats in a special way. */
const anyText = fc.string({
  unit: fc.constantFrom('"', '\\', "'", '\n', '\r', '\u007f', '\0', '#', ']', '=', 'é', 'a'),
})

describe('a new config', () => {
  test('says what it was told, in the form that is asked for', () => {
    const { value } = parseToml(newConfig(CONFIG), 'new')
    expect(checkForm(value)).toMatchObject({
      settings: {
        hostname: 'mail.example.com',
        default_domain: 'example.com',
        listen: { smtp: ['25'], pop3: ['110'], pop3s: [] },
        tls: { cert: 'c.pem', key: 'k.pem' },
        domains: {
          'example.com': { path: './Maildir', bounce_to_postmaster: true, aliases: 'al' },
        },
      },
    })
  })

  test('has what it does not say in comments that can be taken in', () => {
    const text = newConfig({ ...CONFIG, defaultDomain: null, tls: null })
    expect(text).not.toMatch(/^(default_domain|\[tls\])/m)
    const all = text.replace(/^# (\[{0,2}["a-z0-9_.]+(?:\]{1,2}| = .*))$/gm, '$1')
    expect(checkForm(parseToml(all, 'all').value)).toMatchObject({
      settings: {
        tls: { cert: 'fullchain.pem' },
        relay: { rate: { count: 100 }, route: [{ sender_domain: ['example.org'] }] },
        queue: { retry_max: 14_400_000 },
        pop3: { apop: 'auto' },
        limits: { message_size: 52_428_800 },
        log: { level: 'info' },
      },
    })
  })

  test('takes any text for a path', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(parseToml(`x = ${tomlString(text)}`, 'x').value).toEqual({ x: text })
        expect(parseToml(`x = ${tomlValue([text, text])}`, 'x').value).toEqual({ x: [text, text] })
      }),
    )
  })
})

describe('a domain that is added', () => {
  const domain = {
    name: 'b.org',
    path: './b',
    bounceToPostmaster: false,
    catchAll: null,
    aliases: null,
  }

  test('leaves every byte before it', () => {
    fc.assert(
      fc.property(fc.string(), (before) => {
        const after = addDomains(before, [domain])
        expect(after.startsWith(before)).toBe(true)
        expect(after.slice(before.length)).toMatch(/^\n?\n\[domains\."b\.org"\]\npath = "\.\/b"\n$/)
      }),
    )
  })

  test('begins on a line of its own', () => {
    const after = addDomains('hostname = "a" # no line end', [domain])
    expect(parseToml(after, 'x').value).toEqual({
      hostname: 'a',
      domains: { 'b.org': { path: './b' } },
    })
  })
})
