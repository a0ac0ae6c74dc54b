/** A2: whether there is such a user must not be seen in the work that a login makes. */
import { expect, test } from 'vitest'
import { DirectoryChecker } from '../../src/checkers/directory.js'
import { hashPassword } from '../../src/checkers/passwords.js'
import { Slots } from '../../src/checkers/slots.js'
import { MemoryDirectory } from '../../src/directory/memory.js'
import { withPassword } from '../contracts/checker.js'

const TRIES = 20
/** Counts the checks that a slot was asked for. */
class CountedSlots extends Slots {
  checks = 0

  override run<T>(check: () => Promise<T>, from?: string): Promise<T> {
    this.checks++
    return super.run(check, from)
  }
}

test('every wrong login works out one hash: of a user, of nobody, of one without a password, of one in clear', async () => {
  const users = {
    'alice@example.com': await hashPassword('right'),
    'bob@example.com': '!',
    'carol@example.com': '{PLAIN}right',
  }
  const slots = new CountedSlots()
  const directory = new MemoryDirectory({ users })
  const checker = new DirectoryChecker(directory, slots, Buffer.alloc(32))
  for (const name of ['alice', 'ghost', 'bob', 'carol', 'ghost@elsewhere.example']) {
    slots.checks = 0
    for (let i = 0; i < TRIES; i++) {
      expect(await checker.requestAvatarId(withPassword(name, 'wrong'))).toBeNull()
    }
    expect(slots.checks, name).toBe(TRIES)
  }
})
