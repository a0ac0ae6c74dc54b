import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TomlError, parseToml } from '../../src/toml/toml.js'

const TEXT = `hostname = "mx.example"
[domains."example.com"]
path = "./Maildir"
list = ["a", { b = 1 }]
a.b.c = 1
[[app_password]]
name = "phone"
[[app_password]]
name = "laptop"
`

const fault = (text: string): TomlError => {
  try {
    parseToml(text, 'x.toml')
  } catch (error) {
    if (error instanceof TomlError) return error
    throw error
  }
  throw new Error('was taken for TOML')
}

describe('parseToml', () => {
  it('gives the values', () => {
    expect(parseToml(TEXT, 'x.toml').value).toEqual({
      hostname: 'mx.example',
      domains: {
        'example.com': { path: './Maildir', list: ['a', { b: 1 }], a: { b: { c: 1 } } },
      },
      app_password: [{ name: 'phone' }, { name: 'laptop' }],
    })
  })

  it.each([
    [['hostname'], 1, 1],
    [['domains'], 2, 2],
    [['domains', 'example.com'], 2, 10],
    [['domains', 'example.com', 'path'], 3, 1],
    [['domains', 'example.com', 'list', 1], 4, 14],
    [['domains', 'example.com', 'list', 1, 'b'], 4, 16],
    [['domains', 'example.com', 'a', 'b', 'c'], 5, 5],
    [['app_password', 1, 'name'], 9, 1],
  ])('knows where %j is', (path, line, column) => {
    expect(parseToml(TEXT, 'x.toml').locate(path)).toEqual({ line, column })
  })

  it('points at the table around a missing key, and nowhere when there is none', () => {
    const toml = parseToml(TEXT, 'x.toml')
    expect(toml.locate(['app_password', 1, 'quota'])).toEqual({ line: 8, column: 3 })
    expect(toml.locate(['nothing', 'here'])).toBeNull()
  })

  it('says file, line and column of what is wrong', () => {
    expect(fault('a = 1\nb = @\n').message).toBe('x.toml:2:5: unexpected character')
    expect(fault('a = 1\na = 2\n').message).toMatch(/^x\.toml:2:1: /)
  })

  it('refuses a key that would be a prototype', () => {
    expect(fault('ok = 1\nx.__proto__.y = 1\n').message).toBe(
      'x.toml:2:3: the key __proto__ is not allowed',
    )
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('survives nesting without end', () => {
    const deep = 50_000
    expect(fault(`a = ${'['.repeat(deep)}${']'.repeat(deep)}`).place.line).toBe(1)
    expect(fault(`b.${'a.'.repeat(deep)}a = 1`).message).toBe('x.toml:1:65: nested too deeply')
  })

  it('throws nothing but its own error', () => {
    const junk = fc.array(fc.constantFrom(...'a=."\'[]{}\n\r#,1-\\u\0é')).map((all) => all.join(''))
    fc.assert(
      fc.property(junk, (text) => {
        try {
          parseToml(text, 'x.toml')
        } catch (error) {
          expect(error).toBeInstanceOf(TomlError)
        }
      }),
    )
  })
})
