import { expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

test.each([
  [['help'], 'Usage: mailtap [options] [command]'],
  [['help', 'create'], 'Usage: mailtap create '],
  [['help', 'user', 'add'], 'Usage: mailtap user add '],
])('mailtap %j prints help and ends well', async (args, words) => {
  const place = await Workplace.make()
  const { code, out, err } = await place.mailtap(args)
  expect([code, out, err]).toEqual([0, expect.stringContaining(words), ''])
})

test('mailtap help says which command it does not know, and which is not there yet', async () => {
  const place = await Workplace.make()
  const unknown = await place.mailtap(['help', 'nonsense'])
  expect([unknown.code, oneLine(unknown)]).toEqual([64, expect.stringContaining("'nonsense'")])
  expect((await place.mailtap(['help', 'console'])).code).toBe(69)
})
