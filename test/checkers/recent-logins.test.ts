import { expect, test } from 'vitest'
import { RecentLogins } from '../../src/checkers/recent-logins.js'

const MINUTE = 60_000

test('a login counts for ten minutes after its check, and for nothing but itself', () => {
  let now = 0
  const recent = new RecentLogins(() => now)
  recent.note('alice', '$a', 'pw')
  now = 10 * MINUTE - 1
  expect(recent.has('alice', '$a', 'pw')).toBe(true)
  for (const [id, stored, password] of [
    ['alice', '$a', 'pW'],
    ['alice', '$b', 'pw'],
    ['bob', '$a', 'pw'],
    ['alice', '$', 'apw'],
    ['alice', '$ap', 'w'],
  ] as const) {
    expect(recent.has(id, stored, password)).toBe(false)
  }
  now += 1
  expect(recent.has('alice', '$a', 'pw')).toBe(false)
})

test('a wrong password takes nothing from the right one', () => {
  const recent = new RecentLogins()
  recent.note('alice', '$a', 'pw')
  expect(recent.has('alice', '$a', 'wrong')).toBe(false)
  expect(recent.has('alice', '$a', 'pw')).toBe(true)
})

test('of very many users the oldest is forgotten', () => {
  const recent = new RecentLogins()
  for (let user = 0; user <= 20_000; user++) recent.note(`u${user}`, '$', 'pw')
  expect(recent.has('u0', '$', 'pw')).toBe(false)
  expect(recent.has('u1', '$', 'pw')).toBe(true)
  expect(recent.has('u20000', '$', 'pw')).toBe(true)
})
