import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLog } from '../../src/log/create.js'
import type { Fields } from '../../src/log/log.js'

function written(event: string, fields?: Fields): string {
  const lines: string[] = []
  createLog({ format: 'text', level: 'debug', write: (line) => lines.push(line) }).info(
    event,
    fields,
  )
  expect(lines).toHaveLength(1)
  return lines[0]!
}

describe('a log line as text', () => {
  test('has the time, the level, the event and the fields in order', () => {
    const line = written('smtp accepted', {
      id: 'A1',
      from: '<a@example.com>',
      size: 12,
      tls: true,
    })
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info smtp accepted /)
    expect(line.slice(25)).toBe('info smtp accepted id=A1 from=<a@example.com> size=12 tls=true\n')
  })

  test('leaves out what is undefined and writes null as a dash', () => {
    expect(written('x', { a: undefined, b: null }).slice(25)).toBe('info x b=-\n')
  })

  test.each([
    ['two words', '"two words"'],
    ['', '""'],
    ['say "hi"', '"say \\"hi\\""'],
    ['back\\slash', '"back\\\\slash"'],
    ['a\r\nforged info line', '"a\\r\\nforged info line"'],
    ['\u0000\u001b[31m', '"\\u0000\\u001b[31m"'],
    ['abc\u202Ecba', '"abc\\u202ecba"'],
    ['\u2066x\u2069', '"\\u2066x\\u2069"'],
    ['a\u2028b', '"a\\u2028b"'],
    ['\u0085', '"\\u0085"'],
    ['\u{E0001}', '"\\udb40\\udc01"'],
    ['jörg@példa.hu', 'jörg@példa.hu'],
    ['a=b', 'a=b'],
  ])('writes the value %j as %s', (value, expected) => {
    expect(written('x', { v: value }).slice(25)).toBe(`info x v=${expected}\n`)
  })

  test('cuts a value at 1,024 characters and shows that it did', () => {
    expect(written('x', { v: 'a'.repeat(1_024) }).slice(25)).toBe(`info x v=${'a'.repeat(1_024)}\n`)
    expect(written('x', { v: 'a'.repeat(9_999) }).slice(25)).toBe(
      `info x v=${'a'.repeat(1_024)}…\n`,
    )
  })

  test('is one line whose values can be told apart, whatever a client sends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
        const line = written('x', { v: value, end: 1 })
        expect(line.slice(25)).toMatch(/^info x v=(?:[^\s"\\]+|"(?:[^"\\]|\\.)*") end=1\n$/u)
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})

describe('a level', () => {
  test('hides what lies below it and nothing else', () => {
    const lines: string[] = []
    const log = createLog({ format: 'text', level: 'warn', write: (line) => lines.push(line) })
    log.debug('a')
    log.info('b')
    log.warn('c')
    log.error('d')
    expect(lines.map((line) => line.slice(25))).toEqual(['warn c\n', 'error d\n'])
  })
})
