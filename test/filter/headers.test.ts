import { describe, expect, it } from 'vitest'
import { DEFAULT_FILTERS } from '../../src/config/filter-config.js'
import { HeaderFilter } from '../../src/filter/headers.js'
import { fromBuffer } from '../../src/mail/message.js'
import { envelopeOf } from '../helpers/mail-world.js'

const envelope = envelopeOf(null, 'alice@example.com')
const asked = (text: string, settings = {}): Promise<unknown> =>
  new HeaderFilter({ ...DEFAULT_FILTERS.headers, ...settings }).message(
    envelope,
    fromBuffer(Buffer.from(text)),
  )
const PASSED = { headers: [], junk: false }

describe('the check of headers', () => {
  it('lets the strangest header pass that is not too large (H3)', async () => {
    expect(await asked(`X: ${'x'.repeat(1_048_576)}\n\nhello\n`)).toEqual(PASSED)
    expect(await asked('X-Much: y\n'.repeat(100_000))).toEqual(PASSED)
    expect(await asked('no header\n\n')).toEqual(PASSED)
    expect(await asked('')).toEqual(PASSED)
  })

  it('refuses one that is too large, with or without an end', async () => {
    const refused = { code: 552, status: '5.3.4', message: expect.stringContaining(' 100 bytes') }
    const maxSize = 100
    expect(await asked(`A: ${'x'.repeat(96)}\n\nhello\n`, { maxSize })).toEqual(PASSED)
    await expect(asked(`A: ${'x'.repeat(97)}\n\n`, { maxSize })).rejects.toMatchObject(refused)
    await expect(asked('x'.repeat(101), { maxSize })).rejects.toMatchObject(refused)
  })

  it('refuses mail without the fields that are asked for', async () => {
    const require = ['From', 'Date']
    expect(await asked('date: now\nFROM: a@b.c\n\n', { require })).toEqual(PASSED)
    await expect(asked('From: a@b.c\n\nDate: now\n', { require })).rejects.toMatchObject({
      code: 554,
      status: '5.6.0',
      message: 'message has no Date field, which every mail needs',
    })
  })
})
