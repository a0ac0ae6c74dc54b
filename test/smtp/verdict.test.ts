import { describe, expect, it } from 'vitest'
import { mailboxFull, noSuchUser, type Refusal, tryLater } from '../../src/mail/refusal.js'
import { verdict } from '../../src/smtp/verdict.js'

const to = { local: 'alice', domain: 'example.com' }
const status = (...refusals: (Refusal | null)[]): string =>
  verdict(
    refusals.map((refusal) => ({ to, refusal })),
    refusals.length,
  )?.status ?? 'accepted'

describe('the one reply for many recipients', () => {
  it('is yes when every recipient has the message', () => {
    expect(status(null, null)).toBe('accepted')
  })

  it('is no for good only if every recipient failed for good', () => {
    expect(status(noSuchUser(), noSuchUser())).toBe('5.1.1')
  })

  it('is "later" when nobody tells of a recipient', () => {
    expect(verdict([], 1)?.status).toBe('4.3.0')
  })

  it('is "later" when one recipient may work later', () => {
    expect(status(noSuchUser(), mailboxFull())).toBe('4.2.2')
    expect(status(null, tryLater())).toBe('4.3.0')
  })

  it('is "later" when some have the message and others never will', () => {
    expect(status(null, noSuchUser())).toBe('4.3.0')
  })
})
