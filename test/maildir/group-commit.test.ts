import { expect, test } from 'vitest'
import { GroupCommit } from '../../maildir/group-commit.js'

/** A step that ends when told, and remembers how often it began. */
function steps() {
  const ends: { ok(): void; fail(error: Error): void }[] = []
  const step = (): Promise<void> =>
    new Promise((resolve, reject) => ends.push({ ok: resolve, fail: reject }))
  return { ends, step }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('who comes while a run is under way is served by the next, all of them by one', async () => {
  const { ends, step } = steps()
  const commits = new GroupCommit(step)
  const done: string[] = []
  const note = (who: string) => commits.commit('k').then(() => done.push(who))
  const all = [note('first'), note('second'), note('third')]
  expect(ends).toHaveLength(1)
  ends[0]!.ok()
  await turn()
  expect(done).toEqual(['first'])
  expect(ends).toHaveLength(2)
  ends[1]!.ok()
  await Promise.all(all)
  expect(ends).toHaveLength(2)
})

test('keys do not wait for each other', async () => {
  const { ends, step } = steps()
  const commits = new GroupCommit(step)
  void commits.commit('a')
  const b = commits.commit('b')
  ends[1]!.ok()
  await b
  expect(ends).toHaveLength(2)
})

test('a failure is also that of those who waited for the next run, and no run is tried for them', async () => {
  const { ends, step } = steps()
  const commits = new GroupCommit(step)
  const settled = Promise.allSettled([commits.commit('k'), commits.commit('k')])
  const fault = new Error('EIO')
  ends[0]!.fail(fault)
  expect(await settled).toEqual([
    { status: 'rejected', reason: fault },
    { status: 'rejected', reason: fault },
  ])
  expect(ends).toHaveLength(1)
})

test('after a failure the next caller gets a run of its own', async () => {
  const { ends, step } = steps()
  const commits = new GroupCommit(step)
  const failing = commits.commit('k')
  ends[0]!.fail(new Error('EIO'))
  await expect(failing).rejects.toThrow('EIO')
  const next = commits.commit('k')
  ends[1]!.ok()
  await next
})
