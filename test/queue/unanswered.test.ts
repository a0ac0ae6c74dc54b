import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mail, queueStage, waiting } from './queue-stage.js'

test('a message whose sender waits for no answer is taken though nobody gets it, to be reported', async () => {
  const { put, spool, here } = await queueStage()
  await symlink('/nowhere', join(here, 'bob'))
  expect(await put(mail(['bob', 'ghost'], { unanswered: true }))).toEqual(['taken', 'taken'])
  expect(await waiting(spool)).toEqual([
    'bob@example.com mailbox waiting 1 4.2.0',
    'ghost@example.com mailbox failed 1 5.1.1',
  ])
})
