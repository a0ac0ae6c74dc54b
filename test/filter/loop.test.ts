import { describe, expect, it } from 'vitest'
import { LoopFilter } from '../../src/filter/loop.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { envelopeOf } from '../helpers/mail-world.js'

const OWN = 'Received: from client by mx.example\n'
const mail = (header: string): Message => fromBuffer(Buffer.from(`${OWN}${header}\nhello\n`))
const asked = (header: string, ...to: string[]): Promise<unknown> =>
  new LoopFilter().message(envelopeOf('bob@far.example', ...to), mail(header))
const askedBy = (user: string | null, header: string, ...to: string[]): Promise<unknown> => {
  const envelope = envelopeOf('bob@far.example', ...to)
  return new LoopFilter().message(
    { ...envelope, client: { ...envelope.client, user } },
    mail(header),
  )
}
const LOOP = { code: 554, status: '5.4.6' }
const ALICE = 'alice@example.com'
const CAROL = 'carol@example.com'

describe('a mail loop (Q1)', () => {
  it('is mail that came through more than 100 servers', async () => {
    const hops = (count: number): string => 'received: by x\n\twith y\n'.repeat(count)
    expect(await asked(hops(100), ALICE)).toEqual({ headers: [], junk: false })
    await expect(asked(hops(101), ALICE)).rejects.toMatchObject(LOOP)
    await expect(asked(hops(50_000), ALICE)).rejects.toMatchObject(LOOP)
  })

  it('is not mail whose body is full of Received lines', async () => {
    const text = `Subject: x\n\n${'Received: by x\n'.repeat(500)}`
    expect(await asked(text, ALICE)).toEqual({ headers: [], junk: false })
  })

  it.each([
    'Delivered-To: alice@example.com\n',
    'DELIVERED-TO:  Alice@EXAMPLE.com\n',
    'X: 1\nDelivered-To:\n alice@example.com\nDelivered-To: bob@far.example\n',
  ])('is mail that its recipient has had: %j', async (header) => {
    await expect(asked(header, ALICE)).rejects.toMatchObject(LOOP)
  })

  it('is mail that all of its recipients have had, not some of them', async () => {
    const one = 'Delivered-To: alice@example.com\n'
    expect(await asked(one, ALICE, CAROL)).toEqual({ headers: [], junk: false })
    const both = `Delivered-To: carol@example.com\n${one}`
    await expect(asked(both, ALICE, CAROL)).rejects.toMatchObject(LOOP)
  })

  it('is not what a member sends on to himself, unless it came through too many servers', async () => {
    const header = 'Delivered-To: alice@example.com\n'
    expect(await askedBy(ALICE, header, ALICE)).toEqual({ headers: [], junk: false })
    const hops = 'Received: by x\n'.repeat(101)
    await expect(askedBy(ALICE, hops, ALICE)).rejects.toMatchObject(LOOP)
  })

  it.each([
    'Delivered-To: bob@far.example\n',
    'Delivered-To: mailing list <alice@example.com>\n',
    'X-Delivered-To: alice@example.com\n',
    'Delivered-To: alice@example.com.far.example\n',
    'Delivered-To: carol@example.com\n',
  ])('is not mail that somebody else has had: %j', async (header) => {
    expect(await asked(header, ALICE)).toEqual({ headers: [], junk: false })
  })
})
