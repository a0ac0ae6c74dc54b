import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { key, localOf } from '../../src/directory/key.js'
import { foldLocal } from '../../src/mail/address.js'

/** Local parts that are likely to be trouble, among any others. */
const locals = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(fc.constantFrom(...'.%/\\\0\u0085aAéE\u0301ſK2F'), { maxLength: 12 })
    .map((all) => all.join('')),
)

describe('key', () => {
  it.each([
    ['alice', 'alice'],
    ['Alice', 'alice'],
    ['a/b', 'a%2Fb'],
    ['50%', '50%25'],
    ['.hidden', '%2Ehidden'],
    ['.', '%2E'],
    ['..', '%2E.'],
    ['../../etc/passwd', '%2E.%2F..%2Fetc%2Fpasswd'],
    ['..\\..\\x', '%2E.\\..\\x'],
    ['%2e%2e%2f', '%252e%252e%252f'],
    ['a\0b', 'a%00b'],
    ['a\u0085b', 'a%C2%85b'],
    ['a.b', 'a.b'],
    ['e\u0301', 'é'],
    ['É', 'É'],
    ['ｕｓｅｒ', 'ｕｓｅｒ'],
    ['\u212a', 'k'],
    ['|cmd', '|cmd'],
  ])('of %j is %j', (local, name) => {
    expect(key(local)).toBe(name)
  })

  it.each([
    ['nothing', ''],
    ['a lone surrogate', 'a\ud800'],
    ['what stands for bytes that are no UTF-8', 'a\ufffd'],
    ['256 bytes', 'é'.repeat(128)],
    ['what becomes too long when escaped', '/'.repeat(86)],
  ])('does not exist for %s', (_, local) => {
    expect(key(local)).toBeNull()
  })

  it('is the same for two local parts exactly if they are one identity', () => {
    fc.assert(
      fc.property(locals, locals, (one, other) => {
        const [a, b] = [key(one), key(other)]
        if (a === null || b === null) return
        expect(a === b).toBe(foldLocal(one) === foldLocal(other))
      }),
    )
  })

  it('leads back to the folded local part', () => {
    fc.assert(
      fc.property(locals, (local) => {
        const name = key(local)
        if (name !== null) expect(localOf(name)).toBe(foldLocal(local))
      }),
    )
  })

  it('is always one plain file name', () => {
    fc.assert(
      fc.property(locals, (local) => {
        expect(key(local) ?? 'x').toMatch(/^[^./\p{Cc}][^/\p{Cc}]*$/u)
      }),
    )
  })
})

describe('localOf', () => {
  it.each(['Alice', '.x', '%2f', '%', '%zz', 'a%61', '%FF', 'e\u0301', '.tmp-00', 'a\ufffd'])(
    'takes the file name %j for nobody',
    (name) => {
      expect(localOf(name)).toBeNull()
    },
  )

  it('is the only local part of a file name', () => {
    const names = fc.array(fc.constantFrom(...'%2EF5ac./Aé')).map((all) => all.join(''))
    fc.assert(
      fc.property(names, (name) => {
        const local = localOf(name)
        if (local !== null) expect(key(local)).toBe(name)
      }),
    )
  })
})
