import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { foreignRefusal, headerLine, replyText } from '../../src/filter/foreign-words.js'

describe('a reply in the words of another program', () => {
  it.each([
    ['550 5.7.1 no thanks', 550, '5.7.1', 'no thanks'],
    ['421 4.3.2 closing', 451, '4.3.2', 'closing'],
    ['421 busy', 451, '4.7.1', 'busy'],
    ['451 later', 451, '4.7.1', 'later'],
    ['550-5.7.1 one', 550, '5.7.1', 'one'],
    ['550 4.7.1 mixed', 550, '5.7.1', 'mixed'],
    ['554', 554, '5.7.1', 'refused'],
    ['554 5.7.1', 554, '5.7.1', 'refused'],
    ['550 5.7.26 grüße\r\n250 ok', 550, '5.7.26', 'gr??e 250 ok'],
  ])('%j is %d %s %s', (reply, code, status, message) => {
    expect(foreignRefusal(reply, 'refused')).toMatchObject({ code, status, message })
  })

  it.each(['', '250 ok', '354', 'no', '55', '5500 x', '650 x'])('%j refuses nothing', (reply) => {
    expect(foreignRefusal(reply, 'refused')).toBeNull()
  })

  test('is one line of printable ASCII, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1_000 }), (text) => {
        expect(replyText(text)).toMatch(/^[ -~]{0,300}$/)
        const refusal = foreignRefusal(`550 5.7.1 ${text}`, 'refused')
        expect(refusal?.message).toMatch(/^[ -~]{1,300}$/)
        expect(refusal?.status).toMatch(/^5\.\d{1,3}\.\d{1,3}$/)
      }),
    )
  })
})

describe('a header field of another program', () => {
  it('keeps its folds and nothing else that ends a line', () => {
    expect(headerLine('X-A', 'one')).toBe('X-A: one')
    expect(headerLine('X-A', ' one;\r\n\ttwo;\n   three\r\n')).toBe('X-A: one;\n\ttwo;\n\tthree')
    expect(headerLine('X-A', 'one\n\nEvil: two')).toBe('X-A: one\n\tEvil: two')
    expect(headerLine('X-A', 'nul\0 bell\x07')).toBe('X-A: nul? bell?')
    expect(headerLine('X-A', '')).toBe('X-A: ')
  })

  it.each(['', 'X A', 'X:', 'X\n', 'é', 'x'.repeat(77)])('cannot be called %j', (name) => {
    expect(headerLine(name, 'x')).toBeNull()
  })

  test('is one field, whatever the value is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (value) => {
        const line = headerLine('X-A', value)!
        for (const part of line.split('\n').slice(1)) expect(part).toMatch(/^\t\S/)
        expect(line.startsWith('X-A: ')).toBe(true)
        // oxlint-disable-next-line no-control-regex -- control characters are what it is for
        expect(line).not.toMatch(/[\0\r\u007f]/)
      }),
    )
  })
})
