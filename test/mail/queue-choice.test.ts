import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadChoice, parseChoice, parseOrder } from '../../src/mail/queue-choice.js'

const EVERYTHING = { ids: [], from: null, to: null, domain: null, olderThanMs: null, state: null }

describe('a choice of messages', () => {
  test('is everything when nothing is said', () => {
    expect(parseChoice({})).toEqual({ ...EVERYTHING, all: false })
  })

  test('knows addresses by who they are, and domains by their canonical form', () => {
    const said = {
      ids: ['A1', 'A1'],
      from: 'Joe@BÜRO.example',
      domain: '.Far.Example',
      state: 'held',
    }
    expect(parseChoice(said)).toEqual({
      ...EVERYTHING,
      ids: ['A1'],
      from: 'joe@xn--bro-hoa.example',
      domain: '.far.example',
      state: 'held',
      all: false,
    })
    expect(parseChoice({ from: '<>' }).from).toBe('')
  })

  test.each([
    [{ form: 'a@b.example' }, 'unknown'],
    [{ from: 'nobody' }, 'name@domain'],
    [{ to: '<>' }, 'name@domain'],
    [{ to: 7 }, 'a text'],
    [{ domain: 'a b' }, 'domain'],
    [{ ids: [] }, '1 to 10000'],
    [{ ids: ['../x'] }, 'no id'],
    [{ ids: Array.from({ length: 10_001 }, () => 'A') }, '1 to 10000'],
    [{ olderThanMs: -1 }, 'milliseconds'],
    [{ state: 'gone' }, 'none of waiting, active'],
    [{ all: 'yes' }, 'true or false'],
    [{ all: true, ids: ['A'] }, 'either'],
    [[], 'object'],
    [null, 'object'],
  ])('is none: %j', (said, why) => {
    expect(() => parseChoice(said)).toThrow(BadChoice)
    expect(() => parseChoice(said)).toThrow(why)
  })

  test('is read or refused, whatever is said', () => {
    const member = fc.constantFrom('ids', 'from', 'to', 'domain', 'olderThanMs', 'state', 'all')
    const said = fc.oneof(fc.jsonValue(), fc.dictionary(member, fc.jsonValue()))
    fc.assert(
      fc.property(said, (value) => {
        try {
          const { ids, olderThanMs } = parseChoice(value)
          expect(ids.every((id) => /^[A-Za-z0-9]{1,64}$/.test(id))).toBe(true)
          expect(olderThanMs ?? 0).toBeGreaterThanOrEqual(0)
        } catch (error) {
          expect(error).toBeInstanceOf(BadChoice)
        }
      }),
    )
  })
})

describe('an order', () => {
  test.each(['hold', 'release', 'drop', 'bounce'])('to %s has to say for what', (verb) => {
    expect(() => parseOrder({ verb, choice: {} })).toThrow('say which messages')
    expect(parseOrder({ verb, choice: { all: true } }).choice.all).toBe(true)
    expect(parseOrder({ verb, choice: { from: '<>' }, dryRun: true }).dryRun).toBe(true)
  })

  test('to flush may be for everything', () => {
    expect(parseOrder({ verb: 'flush', choice: {} })).toMatchObject({ dryRun: false })
  })

  test.each([
    { verb: 'delete', choice: { all: true } },
    { choice: { all: true } },
    { verb: 'drop' },
  ])('is none: %j', (said) => {
    expect(() => parseOrder(said)).toThrow(BadChoice)
  })
})
