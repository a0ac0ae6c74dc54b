import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Lease } from '../../src/locks/locks.js'
import { MemoryLocks } from '../../src/locks/memory.js'
import type { Mailbox } from '../../src/mail/mailbox.js'
import { LeasedMailbox } from '../../src/realm/leased.js'
import { Maildirs } from '../../src/store/maildirs.js'
import { addressOf } from '../helpers/mail-world.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
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
  return { store, mailbox, lease, touches: () => touches }
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
    const { store, mailbox, lease } = await leased(0)
    const valid = (): boolean => {
      throw new Error('no such disk')
    }
    const torn = new LeasedMailbox(mailbox, { ...lease, valid })
    const refused = { left: 1, cause: { message: 'no such disk' } }
    await expect(torn.remove(torn.messages)).rejects.toMatchObject(refused)
    expect(store.open().messages).toHaveLength(1)
  })
})

const MANY = 1_000
/** Messages that may still be removed for each time that the lock was found to be held. */
const MAX_SLICE = 100

/** A mailbox on the disk with many messages, whose lock somebody else takes at that look at it. */
async function takenAtLook(look: number, keepsDeleted: boolean) {
  const home = join(await temporaryDirectory(), 'alice')
  const store = new Maildirs({
    home: () => home,
    roots: () => [home],
    host: 'mx.example',
    reserveBytes: 0,
    keepsDeleted: () => keepsDeleted,
  })
  await store.open(addressOf('alice@example.com'))
  for (let n = 0; n < MANY; n++) writeFileSync(join(home, 'new', `${1000 + n}.m.h,S=2,W=3`), 'x\n')
  const locks = new MemoryLocks()
  const lease = (await locks.tryAcquire('a'))!
  let looks = 0
  const valid = (): boolean => {
    if (++looks === look) void locks.tryAcquire('a', 0)
    return lease.valid()
  }
  const opened = await store.open(addressOf('alice@example.com'))
  const mailbox = new LeasedMailbox(opened, { ...lease, valid })
  return { mailbox, left: () => readdirSync(join(home, 'new')).length }
}

describe('a removal whose lock is lost on its way', () => {
  it.each([
    ['for good', false],
    ['into the trash', true],
  ])('%s goes no further than what was begun, and counts what is left', async (_, keeps) => {
    const { mailbox, left } = await takenAtLook(6, keeps)
    const error = await mailbox.remove(mailbox.messages).catch((thrown: unknown) => thrown)
    const cause = expect.objectContaining({ message: 'the lock on the mailbox was lost' })
    expect(error).toMatchObject({ name: 'RemovalIncomplete', left: left(), cause })
    expect(left()).toBeLessThan(MANY)
    expect(left()).toBeGreaterThanOrEqual(MANY - 4 * MAX_SLICE)
  })

  it('before the first of it removes nothing', async () => {
    const { mailbox, left } = await takenAtLook(1, false)
    await expect(mailbox.remove(mailbox.messages)).rejects.toMatchObject({ left: MANY })
    expect(left()).toBe(MANY)
  })
})
