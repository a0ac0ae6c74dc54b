/** What every implementation of Store must do. */
import { describe, expect, test } from 'vitest'
import type { Address } from '../../src/mail/address.js'
import { MessageUnavailable } from '../../src/mail/mailbox.js'
import { type Bytes, fromBuffer } from '../../src/mail/message.js'
import type { Store } from '../../src/store/store.js'

const alice: Address = { local: 'alice', domain: 'example.com' }
const bob: Address = { local: 'bob', domain: 'example.com' }

/** Runs the suite against fresh stores from `make`, in which alice and bob may have mail. */
export function storeContract(name: string, make: () => Promise<Store>): void {
  describe(`${name} as Store`, () => {
    test('a user without mail has an empty mailbox', async () => {
      expect((await (await make()).open(alice)).messages).toEqual([])
    })

    test('mail goes to its user alone, and comes back with CR LF line ends', async () => {
      const store = await make()
      await store.append(alice, text('Subject: x\n\n.dot\nend'))
      const mailbox = await store.open(alice)
      expect(mailbox.messages.map(({ size }) => size)).toEqual([23])
      expect(await textOf(await mailbox.open(mailbox.messages[0]!))).toBe(
        'Subject: x\r\n\r\n.dot\r\nend',
      )
      expect((await store.open(bob)).messages).toEqual([])
    })

    test('mail is listed in the order it came, with unique ids that stay', async () => {
      const store = await make()
      for (let i = 0; i < 20; i++) await store.append(alice, text('x'.repeat(i)))
      const first = await store.open(alice)
      expect(first.messages.map(({ size }) => size)).toEqual(
        Array.from({ length: 20 }, (_, i) => i),
      )
      const uids = first.messages.map(({ uid }) => uid)
      expect(new Set(uids).size).toBe(20)
      expect(uids.every((uid) => /^[!-~]{1,70}$/.test(uid))).toBe(true)
      expect((await store.open(alice)).messages.map(({ uid }) => uid)).toEqual(uids)
    })

    test('mail for several users is in the mailbox of each, with a quota or without', async () => {
      const store = await make()
      const quota = { bytes: 4, messages: null }
      const places = [
        { user: alice, quota: null },
        { user: bob, quota },
      ]
      expect(await store.appendAll(places, text('1234'))).toEqual([null, null])
      const [first, second] = await store.appendAll(places, text('5'))
      expect(first).toBeNull()
      expect(second).toMatchObject({ code: 452, status: '4.2.2' })
      expect((await store.open(alice)).messages.map(({ size }) => size)).toEqual([4, 1])
      expect((await store.open(bob)).messages.map(({ size }) => size)[0]).toBe(4)
    })

    test('identical messages are different messages', async () => {
      const store = await make()
      await Promise.all(Array.from({ length: 50 }, () => store.append(alice, text('same\n'))))
      const { messages } = await store.open(alice)
      expect(new Set(messages.map(({ uid }) => uid)).size).toBe(50)
    })

    test('an open mailbox does not change when mail comes', async () => {
      const store = await make()
      await store.append(alice, text('1'))
      const mailbox = await store.open(alice)
      await store.append(alice, text('22'))
      expect(mailbox.messages).toHaveLength(1)
      expect((await store.open(alice)).messages).toHaveLength(2)
    })

    test('a large message streams with exactly the octets listed, and may be read twice', async () => {
      const store = await make()
      const line = `${'y'.repeat(76)}\n`
      await store.append(alice, text(line.repeat(20_000)))
      const mailbox = await store.open(alice)
      const message = mailbox.messages[0]!
      for (let i = 0; i < 2; i++) {
        const got = await textOf(await mailbox.open(message))
        expect(got.length).toBe(message.size)
        expect(got).toBe(line.replace('\n', '\r\n').repeat(20_000))
      }
    })

    test('only what was asked for is removed, and removing twice is fine', async () => {
      const store = await make()
      for (let i = 0; i < 4; i++) await store.append(alice, text('z'.repeat(i)))
      const mailbox = await store.open(alice)
      const [, second, third] = mailbox.messages
      await mailbox.remove([second!, third!])
      await mailbox.remove([second!])
      await mailbox.remove([])
      expect((await store.open(alice)).messages.map(({ size }) => size)).toEqual([0, 3])
      await expect(collect(mailbox, second!)).rejects.toThrow(MessageUnavailable)
    })

    test('a message that fails while it is read leaves nothing', async () => {
      const store = await make()
      const fault = new Error('the source broke')
      const broken = { size: 10, lines: 0, open: () => breaking(fault) }
      await expect(store.append(alice, broken)).rejects.toBe(fault)
      expect((await store.open(alice)).messages).toEqual([])
    })

    test('there is room for a small message, and for one of unknown size', async () => {
      const store = await make()
      await store.checkRoom(1000)
      await store.checkRoom(null)
    })

    test('there is no room for more than any disk has, and that is for now', async () => {
      const store = await make()
      const refusal = { code: 452, status: '4.3.1' }
      await expect(store.checkRoom(Number.MAX_SAFE_INTEGER)).rejects.toMatchObject(refusal)
    })
  })
}

const text = (content: string) => fromBuffer(Buffer.from(content))

async function* breaking(fault: Error): AsyncGenerator<Buffer, void, void> {
  yield Buffer.from('12345')
  throw fault
}

async function collect(
  mailbox: Awaited<ReturnType<Store['open']>>,
  message: (typeof mailbox.messages)[number],
): Promise<string> {
  return textOf(await mailbox.open(message))
}

async function textOf(content: Bytes): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of content) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}
