import { expect, test } from 'vitest'
import { Expiring } from '../../src/filter/expiring.js'

test('what is remembered for a while is forgotten in time, and the oldest when there is too much', () => {
  let now = 0
  const kept = new Expiring<number>(2, () => now)
  kept.set('a', 1, 10)
  kept.set('b', 2, 20)
  now = 9
  expect([kept.get('a'), kept.get('b'), kept.get('__proto__')]).toEqual([1, 2, undefined])
  now = 10
  expect([kept.get('a'), kept.get('b'), kept.size]).toEqual([undefined, 2, 1])
  kept.set('c', 3, 10)
  kept.set('b', 4, 10)
  kept.set('d', 5, 10)
  expect([kept.get('b'), kept.get('c'), kept.get('d'), kept.size]).toEqual([4, undefined, 5, 2])
})
