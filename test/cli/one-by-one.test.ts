import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { oneByOne } from '../../cli/one-by-one.js'

test('work begins when what was asked for before is over, also after a failure', async () => {
  const steps: string[] = []
  let asked = 0
  const next = oneByOne(async () => {
    const mine = ++asked
    steps.push(`begin ${mine}`)
    await turn()
    steps.push(`end ${mine}`)
    if (mine === 1) throw new Error('no')
  })
  const ended = await Promise.allSettled([next(), next(), next()])
  expect(ended.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  expect(steps).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'])
})
