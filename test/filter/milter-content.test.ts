/** What a sender writes must not get mail past a milter. */
import { describe, expect, test } from 'vitest'
import { fromBuffer } from '../../src/mail/message.js'
import {
  DEFERRED,
  ENVELOPE,
  filterAt,
  mail,
  packet,
  scripted,
  testWithPython,
  wantedMilter,
} from './milter-stage.js'

describe('a sender who wants past a milter that mail may pass while it is away', () => {
  const strange = {
    'too many fields': ['a:\n'.repeat(100_001), 552, 'more than the limit of 10000 fields'],
    'a name too long': [`${'A'.repeat(70_000)}: x\n`, 554, 'more than 998 characters'],
    'a header too large': [`A: ${'x'.repeat(2_000_000)}\n`, 552, 'limit of 2000000 bytes'],
  } as const
  test.each(Object.entries(strange))('is refused with %s', async (_, [header, code, words]) => {
    const { filter, log } = filterAt({ path: '/nowhere/milter.sock' }, 'accept')
    const asked = filter.message(ENVELOPE, fromBuffer(Buffer.from(`${header}\nhello\n`)))
    await expect(asked).rejects.toMatchObject({ code, message: expect.stringContaining(words) })
    expect(log.events).toEqual([])
  })

  test('has to come again when it fails over what he wrote', async () => {
    const endpoint = await scripted((socket) => {
      socket.once('data', () => socket.write(packet('O', 6, 1, 0)))
      let heard = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        heard = Buffer.concat([heard, chunk])
        if (heard.includes('client\0')) socket.destroy()
        else if (heard.includes('192.0.2.7\0')) socket.write(packet('c'))
      })
    })
    const { filter, log } = filterAt(endpoint, 'accept', 5_000)
    await expect(filter.message(ENVELOPE, mail('x'))).rejects.toMatchObject(DEFERRED)
    expect(log.of('filter failed')).toMatchObject([{ then: 'defer' }])
  })

  testWithPython('finds no field and no name that it cannot be shown', async () => {
    const { filter, log } = filterAt(await wantedMilter(), 'accept')
    const largest = `${'N'.repeat(998)}: ${'v'.repeat(100_000)}\n${'a:\n'.repeat(9_998)}`
    const message = fromBuffer(Buffer.from(`${largest}X-Wanted: reject\n\nhello\n`))
    await expect(filter.message(ENVELOPE, message)).rejects.toMatchObject({ code: 554 })
    expect(log.events).toEqual([])
  })
})
