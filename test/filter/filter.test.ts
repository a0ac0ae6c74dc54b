import { describe, expect, it } from 'vitest'
import { type Filter, FilterChain } from '../../src/filter/filter.js'
import { fromBuffer } from '../../src/mail/message.js'
import { mailboxFull, relayDenied } from '../../src/mail/refusal.js'
import { envelopeOf } from '../helpers/mail-world.js'

const message = fromBuffer(Buffer.from('Subject: x\n\nhello\n'))
const envelope = envelopeOf(null, 'alice@example.com')
const marking = (name: string, junk: boolean): Filter => ({
  name,
  message: async () => ({ headers: [`X-${name}: seen`], junk }),
})

describe('a chain of filters', () => {
  it('adds what each filter adds, in their order, and is junk if one says so', async () => {
    const chain = new FilterChain([marking('A', false), { name: 'mute' }, marking('B', true)])
    const found = await chain.message(envelope, message)
    expect(found).toEqual({ headers: ['X-A: seen', 'X-B: seen'], junk: true })
  })

  it('ends with the first refusal', async () => {
    const asked: string[] = []
    const refusing = (name: string, error: Error): Filter => ({
      name,
      recipient: async () => {
        asked.push(name)
        throw error
      },
    })
    const chain = new FilterChain([
      refusing('first', relayDenied()),
      refusing('second', mailboxFull()),
    ])
    await expect(chain.recipient(envelope, envelope.to[0]!)).rejects.toMatchObject({ code: 550 })
    expect(asked).toEqual(['first'])
  })
})
