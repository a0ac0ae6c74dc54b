import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isReply, readMailParameters } from '../../src/smtp/parameters.js'
import { readRecipientParameters } from '../../src/smtp/recipient-parameters.js'

const NONE = { auth: false, requireTls: false }
const mail = (...given: [string, string][]) => readMailParameters(new Map(given), NONE)
const rcpt = (given: [string, string][], utf8 = false) =>
  readRecipientParameters(new Map(given), utf8)
const code = (result: object | null): string =>
  result !== null && 'bytes' in result && Buffer.isBuffer(result.bytes)
    ? result.bytes.toString('latin1').slice(0, 9)
    : 'taken'

describe('what a sender asks for', () => {
  it('about reports is nothing unless it says so', () => {
    expect(mail()).toMatchObject({ reports: null })
    expect(mail(['SIZE', '1'])).toMatchObject({ reports: null })
    expect(rcpt([])).toBeNull()
  })

  it('may be any set of events, in any order', () => {
    const events = fc.shuffledSubarray(['success', 'failure', 'delay'], { minLength: 1 })
    fc.assert(
      fc.property(events, fc.boolean(), (wanted, small) => {
        const value = wanted.join(',')
        const notice = rcpt([['NOTIFY', small ? value : value.toUpperCase()]])
        expect(notice).toEqual({ notify: wanted, originalRecipient: null })
      }),
    )
  })

  it('is each event once, and NEVER alone', () => {
    const words = fc.array(fc.constantFrom('SUCCESS', 'FAILURE', 'DELAY', 'NEVER', ''), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(words, (given) => {
        const once = new Set(given).size === given.length
        const good = once && !given.includes('') && (!given.includes('NEVER') || given.length === 1)
        expect(code(rcpt([['NOTIFY', given.join(',')]]))).toBe(good ? 'taken' : '501 5.5.4')
      }),
    )
  })
})

describe('what a report would repeat', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc
      .array(fc.constantFrom('+', '0A', '20', '2B', 'a', '=', ';', '\\x{', 'FC', '}', 'é', '@'))
      .map((parts) => parts.join('')),
  )

  it('is printable when it was taken, and refused with 501 5.5.4 otherwise', () => {
    fc.assert(
      fc.property(value, fc.boolean(), (text, utf8) => {
        const parameters = mail(['ENVID', text])
        expect(['taken', '501 5.5.4']).toContain(code(parameters))
        if (!isReply(parameters)) expect(text).toMatch(/^[!-<>-~]{1,100}$/)
        const notice = rcpt([['ORCPT', `utf-8;${text}`]], utf8)
        expect(['taken', '501 5.5.4']).toContain(code(notice))
        if (code(notice) === 'taken') {
          expect(text).toMatch(utf8 ? /^[^\p{Cc}\u2028\u2029 ]+$/u : /^[!-<>-~]+$/)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
