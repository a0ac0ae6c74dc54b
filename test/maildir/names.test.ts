import { afterEach, expect, test, vi } from 'vitest'
import { arrivalOf, finalName, UniqueNames, wireSizeIn } from '../../maildir/names.js'

afterEach(() => {
  vi.useRealTimers()
})

test('a name has time, process, counter, random part and host', () => {
  expect(new UniqueNames('mail.example.com').next()).toMatch(
    /^\d{10}\.M\d{1,6}P\d+Q0R[0-9a-f]{8}\.mail\.example\.com$/,
  )
})

test('what has a meaning in a file name is escaped in the host', () => {
  expect(new UniqueNames('a/b:c,d e').next()).toMatch(/\.a\\057b\\072c\\054d_e$/)
})

test('a very long host leaves room for sizes and flags', () => {
  const name = finalName(new UniqueNames('h'.repeat(300)).next(), 1e12, 1e10)
  expect(name.length).toBeLessThan(230)
})

test('names still ascend when the clock is set back', () => {
  const names = new UniqueNames('h')
  vi.useFakeTimers({ now: 1_800_000_000_000 })
  const before = arrivalOf(names.next())
  vi.setSystemTime(1_500_000_000_000)
  const after = arrivalOf(names.next())
  expect(after.seconds).toBe(before.seconds)
  expect(after.microseconds).toBe(before.microseconds + 1)
})

test.each([
  ['1.a.h,S=5,W=7', 7],
  ['1.a.h,W=0,S=5', 0],
  ['1.a.h,S=5', null],
  ['1.a.h,W=', null],
  ['1.a.h,W=07', null],
  ['1.a.h,W=-1', null],
  ['1.a.h,W=1e3', null],
  ['1.a.h,W=0x10', null],
  ['1.a.h,W=7x', null],
  ['1.a.h,W=9999999999999999', null],
  ['W=7', null],
])('the wire size in %s is %s', (base, size) => {
  expect(wireSizeIn(base)).toBe(size)
})
