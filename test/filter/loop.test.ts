import { describe, expect, it } from 'vitest'
import { LoopFilter } from '../../src/filter/loop.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { envelopeOf } from '../helpers/mail-world.js'

const OWN = 'Received: from client by mx.example\n'
const mail = (header: string): Message => fromBuffer(Buffer.from(`${OWN}${header}\nhello\n`))
const asked = (header: string, ...to: string[]): Promise<unknown> =>
  new LoopFilter().message(envelopeOf('bob@far.example', ...to), mail(header))
const LOOP = { code: 554, status: '5.4.6' }
const ALICE = 'alice@example.com'

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
  ])('is mail that one of its recipients has had: %j', async (header) => {
    await expect(asked(header, 'carol@example.com', ALICE)).rejects.toMatchObject(LOOP)
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
