import { expect, test } from 'vitest'
import { KnownPlaces } from '../../src/limits/known-places.js'

test('places where nobody was for longest are forgotten first when there are too many', () => {
  const places = new KnownPlaces(() => 0, 3)
  for (const place of ['a', 'b', 'c']) places.add(place, 'alice')
  places.add('a', 'alice')
  places.add('d', 'alice')
  expect(['a', 'b', 'c', 'd'].filter((place) => places.has(place, 'alice'))).toEqual([
    'a',
    'c',
    'd',
  ])
  expect(places.has('a', 'bob')).toBe(false)
})
