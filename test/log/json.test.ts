import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLog } from '../../src/log/create.js'
import type { Fields } from '../../src/log/log.js'

function written(event: string, fields?: Fields): string {
  const lines: string[] = []
  createLog({ format: 'json', level: 'debug', write: (line) => lines.push(line) }).warn(
    event,
    fields,
  )
  expect(lines).toHaveLength(1)
  return lines[0]!
}

describe('a log line as JSON', () => {
  test('is one object with level, time, event and the fields', () => {
    const { time, ...rest } = JSON.parse(
      written('pop3 login', { user: 'a@b', tries: 2, tls: null }),
    )
    expect(rest).toEqual({ level: 'warn', event: 'pop3 login', user: 'a@b', tries: 2, tls: null })
    expect(new Date(time).toISOString()).toBe(time)
  })

  test('has no process id and no host name: what runs the server knows them', () => {
    expect(Object.keys(JSON.parse(written('x')))).toEqual(['level', 'time', 'event'])
  })

  test('cuts a value at 1,024 characters', () => {
    expect(JSON.parse(written('x', { v: 'a'.repeat(5_000) })).v).toBe(`${'a'.repeat(1_024)}…`)
  })

  test('holds any value in one line without a character that cannot be seen', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
        const line = written('x', { v: value })
        expect(line.endsWith('}\n')).toBe(true)
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        expect(JSON.parse(line).v).toBe(value)
      }),
    )
  })

  test('hides what lies below the level', () => {
    const lines: string[] = []
    const log = createLog({ format: 'json', level: 'error', write: (line) => lines.push(line) })
    log.info('a')
    log.error('b')
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(['b'])
  })
})
