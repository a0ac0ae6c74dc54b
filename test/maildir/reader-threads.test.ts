import { expect, test } from 'vitest'
import { ReaderThreads } from '../../maildir/reader-threads.js'

const AT_ONCE = 4

/** @returns which thread did each, or why none did */
function removals(threads: ReaderThreads, path: string): Promise<readonly unknown[]> {
  const asked = Array.from({ length: AT_ONCE }, () =>
    threads
      .ask('unlink', { path, messages: [], trash: false })
      .then(([thread]): unknown => thread)
      .catch((error: unknown) => String(error)),
  )
  return Promise.all(asked)
}

function threadsOfTest(): ReaderThreads {
  return new ReaderThreads(new URL('./removing-thread.ts', import.meta.url))
}

test('on a slow disk removals wait side by side', async () => {
  const threads = threadsOfTest()
  await removals(threads, 'slow')
  expect(new Set(await removals(threads, 'slow')).size).toBe(AT_ONCE)
})

test('when a thread dies, all that it had before it hear of it, and another one goes on', async () => {
  const threads = threadsOfTest()
  await removals(threads, 'quick')
  const told = await removals(threads, 'poison')
  expect(told).toEqual(Array.from({ length: AT_ONCE }, () => 'Error: poisoned'))
  expect((await removals(threads, 'quick')).every((who) => typeof who === 'number')).toBe(true)
})
