import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Address } from '../../src/mail/address.js'
import { MessageUnavailable, RemovalIncomplete } from '../../src/mail/mailbox.js'
import { fromBuffer } from '../../src/mail/message.js'
import { Maildirs, type MaildirsOptions } from '../../src/store/maildirs.js'
import { storeContract } from '../contracts/store.js'
import { filesIn, temporaryDirectory } from '../maildir/helpers.js'

const alice: Address = { local: 'alice', domain: 'example.com' }
const hello = fromBuffer(Buffer.from('hello\n'))

function storeIn(root: string, options: Partial<MaildirsOptions> = {}): Maildirs {
  return new Maildirs({
    home: (user) => join(root, user.local),
    roots: () => [root],
    host: 'mx.example',
    reserveBytes: 4096,
    ...options,
  })
}

storeContract('Maildirs', async () => storeIn(temporaryDirectory()))

describe('Maildirs', () => {
  test('tells of each delivery once it is there', async () => {
    const told: string[] = []
    const store = storeIn(temporaryDirectory(), {
      onDelivered: (user, path) => told.push(`${user.local} ${fs.readFileSync(path, 'latin1')}`),
    })
    await store.append(alice, hello)
    expect(told).toEqual(['alice hello\n'])
  })

  test('a user who has vanished is "later", never "no such user"', async () => {
    const store = storeIn(temporaryDirectory(), { home: () => null })
    await expect(store.append(alice, hello)).rejects.toMatchObject({ code: 451, status: '4.2.0' })
    await expect(store.open(alice)).rejects.toMatchObject({ code: 451 })
  })

  test.each([
    ['a file', (path: string) => fs.writeFileSync(path, '')],
    ['a link to nowhere', (path: string) => fs.symlinkSync('/nonexistent/x', path)],
    ['a link to another Maildir', (path: string) => fs.symlinkSync(`${path}/../bob`, path)],
  ])('a mailbox that is %s is broken for now, for its user alone', async (_, make) => {
    const root = temporaryDirectory()
    const store = storeIn(root)
    await store.append({ local: 'bob', domain: 'example.com' }, hello)
    make(join(root, 'alice'))
    await expect(store.append(alice, hello)).rejects.toMatchObject({ code: 451, status: '4.2.0' })
    await expect(store.open(alice)).rejects.toThrow()
    expect(filesIn(join(root, 'bob/new'))).toHaveLength(1)
  })

  test('errors of the content stay what they are', async () => {
    const bug = new TypeError('a bug')
    const open = (): never => {
      throw bug
    }
    const store = storeIn(temporaryDirectory())
    await expect(store.append(alice, { size: 1, lines: 0, open })).rejects.toBe(bug)
  })

  test('a message that vanished is unavailable, also in the middle of a session', async () => {
    const root = temporaryDirectory()
    const store = storeIn(root)
    await store.append(alice, hello)
    const mailbox = await store.open(alice)
    for (const name of filesIn(join(root, 'alice/new')))
      fs.unlinkSync(join(root, 'alice/new', name))
    await expect(mailbox.open(mailbox.messages[0]!)).rejects.toThrow(MessageUnavailable)
    await mailbox.remove(mailbox.messages)
  })

  test('a removal that is not whole says how many are left', async () => {
    const root = temporaryDirectory()
    const store = storeIn(root)
    await store.append(alice, hello)
    fs.mkdirSync(join(root, 'alice/new/1.dir.h,W=1'))
    const mailbox = await store.open(alice)
    const error = await mailbox.remove(mailbox.messages).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RemovalIncomplete)
    expect(error).toMatchObject({ left: 1 })
    expect(filesIn(join(root, 'alice/new'))).toEqual(['1.dir.h,W=1'])
  })

  test('a file system that can not be asked for room is "later"', async () => {
    const store = storeIn(temporaryDirectory(), {
      roots: () => [join(temporaryDirectory(), 'no-such-directory')],
    })
    await expect(store.checkRoom(1)).rejects.toMatchObject({ code: 451 })
  })

  test('one file system with room is enough', async () => {
    const root = temporaryDirectory()
    await storeIn(root, {
      roots: () => [join(temporaryDirectory(), 'no-such-directory'), root],
    }).checkRoom(1)
  })
})

/** Mounts a tiny tmpfs, or gives the reason why that can not be done here. */
function tinyDisk(options: string): string | { reason: string } {
  if (process.getuid?.() !== 0) return { reason: 'only root can mount a tiny disk' }
  const path = temporaryDirectory()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'pipe' })
  } catch (error) {
    return { reason: `no tmpfs can be mounted here: ${String(error)}` }
  }
  onTestFinished(() => void execFileSync('umount', ['-l', path]))
  return path
}

describe('a full disk', () => {
  test('is 452 before and during the delivery, leaves nothing, and passes', async (context) => {
    const root = tinyDisk('size=256k')
    if (typeof root !== 'string') return context.skip(root.reason)
    const store = storeIn(root, { reserveBytes: 200_000 })
    const big = fromBuffer(Buffer.alloc(300_000, 'x\n'))
    await store.append(alice, hello)
    await expect(store.append(alice, big)).rejects.toMatchObject({ code: 452, status: '4.3.1' })
    expect(filesIn(join(root, 'alice/tmp'))).toEqual([])
    expect(filesIn(join(root, 'alice/new'))).toHaveLength(1)
    await expect(store.checkRoom(180_000)).rejects.toMatchObject({ code: 452, status: '4.3.1' })
    await store.append(alice, hello)
    expect((await store.open(alice)).messages).toHaveLength(2)
  })

  test('is 452 as well when inodes run out', async (context) => {
    const root = tinyDisk('size=1m,nr_inodes=8')
    if (typeof root !== 'string') return context.skip(root.reason)
    const store = storeIn(root)
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => store.append(alice, hello)),
    )
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 452, status: '4.3.1' })
    expect(filesIn(join(root, 'alice/tmp'))).toEqual([])
    expect((await store.open(alice)).messages).toHaveLength(20 - refused.length)
    await expect(store.checkRoom(1)).rejects.toMatchObject({ code: 452 })
  })
})
