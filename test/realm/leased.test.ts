import { describe, expect, it } from 'vitest'
import type { Lease } from '../../src/locks/locks.js'
import { MemoryLocks } from '../../src/locks/memory.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import { LeasedMailbox } from '../../src/realm/leased.js'
import { MemoryStore } from '../helpers/memory-mailbox.js'

/** A mailbox whose one message comes in chunks of so many octets (0: at once), and how often its lease was touched. */
async function leased(chunkSize: number) {
  const store = new MemoryStore()
  store.chunkSize = chunkSize
  store.add('M1', Buffer.from('Subject: x\r\n\r\n'))
  const lease = (await new MemoryLocks().tryAcquire('a'))!
  let touches = 0
  const counted: Lease = { ...lease, touch: () => void touches++ }
  const mailbox: Mailbox = new LeasedMailbox(store.open(), counted)
  return { mailbox, lease, touches: () => touches }
}

describe('a leased mailbox', () => {
  it('shows that somebody is at work with each piece of a message that is read', async () => {
    const { mailbox, touches } = await leased(5)
    const pieces: Buffer[] = []
    for await (const piece of await mailbox.open(mailbox.messages[0]!)) {
      pieces.push(piece)
      expect(touches()).toBe(pieces.length)
    }
    expect(Buffer.concat(pieces).toString()).toBe('Subject: x\r\n\r\n')
    expect(pieces).toHaveLength(3)
  })

  it('removes nothing when it cannot tell whether the lock is still held', async () => {
    const { mailbox, lease } = await leased(0)
    const valid = (): boolean => {
      throw new Error('no such disk')
    }
    const torn = new LeasedMailbox(mailbox, { ...lease, valid })
    await expect(torn.remove(torn.messages)).rejects.toThrow('no such disk')
    expect(mailbox.messages).toHaveLength(1)
  })
})
