import { expect, test } from 'vitest'
import { SharedLooks } from '../../src/directory/shared-looks.js'

/** Looks that end when the test says so. */
function stage() {
  const looks = new SharedLooks<string>()
  const begun: ((found: string | null | Error) => void)[] = []
  const work = (): Promise<string | null> =>
    new Promise((resolve, reject) =>
      begun.push((found) => (found instanceof Error ? reject(found) : resolve(found))),
    )
  return { begun, look: (key = 'alice') => looks.look(key, work) }
}

test('who asks while somebody looks gets what that one finds', async () => {
  const { begun, look } = stage()
  const all = [look(), look(), look()]
  expect(begun).toHaveLength(1)
  begun[0]!('there')
  expect(await Promise.all(all)).toEqual(['there', 'there', 'there'])
})

test('"not there" and a fault are not shared: the others look themselves', async () => {
  for (const answer of [null, new Error('EIO')]) {
    const { begun, look } = stage()
    const first = look().catch(() => 'failed')
    const second = look()
    begun[0]!(answer)
    expect(await first).toBe(answer === null ? null : 'failed')
    await expect.poll(() => begun.length).toBe(2)
    begun[1]!('there')
    expect(await second).toBe('there')
  }
})

test('what is looked for after the end of a look is looked for anew, and others do not wait', async () => {
  const { begun, look } = stage()
  const alice = look()
  const bob = look('bob')
  begun[1]!('bob is there')
  expect(await bob).toBe('bob is there')
  begun[0]!('there')
  await alice
  void look()
  expect(begun).toHaveLength(3)
})
