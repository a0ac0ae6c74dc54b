import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatSmarthost, isLoopback, parseSmarthost } from '../../src/mail/smarthost.js'

const host = fc.constantFrom('a.org', 'xn--bcher-kva.example', '192.0.2.1', '2001:db8::1', 'relay')
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROL = /[\u0000-\u001f\u007f]/
const user = fc
  .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
  .filter((text) => !CONTROL.test(text) && Buffer.byteLength(text) <= 255)

describe('a smarthost', () => {
  test('is the same after it was written as a URL, whatever the login name', () => {
    const smarthost = fc.record({
      scheme: fc.constantFrom('smtp' as const, 'smtps' as const),
      user: fc.option(user),
      host,
      port: fc.integer({ min: 1, max: 65_535 }),
    })
    fc.assert(
      fc.property(smarthost, (each) => {
        expect(parseSmarthost(formatSmarthost(each))).toEqual(each)
      }),
    )
  })

  test('is never anything else than what it says, and no complaint repeats what was said', () => {
    const piece = fc.constantFrom('smtp://', 'lmtp:', '//', '@', ':', '[', ']', 'a.org', '::1', '%')
    const more = fc.constantFrom('25', '99999', '\n', ' ', 'joe', 'sesame', '?', '#', '/', '\0')
    const text = fc.array(fc.oneof(piece, more), { maxLength: 8 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (said) => {
        const found = parseSmarthost(said)
        if ('problem' in found) expect(found.problem).not.toContain('sesame')
        else expect(parseSmarthost(formatSmarthost(found))).toEqual(found)
      }),
    )
  })

  test.each([
    ['smtp://localhost', true],
    ['smtp://127.0.0.1:2525', true],
    ['smtp://[::1]', true],
    ['smtp://127.example.org', false],
    ['smtp://192.0.2.1', false],
  ])('%s is this machine: %s', (url, expected) => {
    const found = parseSmarthost(url)
    expect('problem' in found ? found : isLoopback(found)).toBe(expected)
  })
})
