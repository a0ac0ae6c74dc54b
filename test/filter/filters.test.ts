import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DEFAULT_FILTERS, type FilterConfig } from '../../src/config/filter-config.js'
import { loadEntries } from '../../src/filter/greylist-file.js'
import { Filters } from '../../src/filter/filters.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { keptLog } from '../helpers/kept-log.js'
import { addressOf, envelopeOf } from '../helpers/mail-world.js'

const ALICE = addressOf('alice@example.com')
const ENVELOPE = envelopeOf('bob@far.example', 'alice@example.com')
const PASSED = { headers: [], junk: false }
const GREYLIST: FilterConfig = { ...DEFAULT_FILTERS, greylist: { delay: 60, trustAfter: 5 } }
const AWAY: FilterConfig = {
  ...DEFAULT_FILTERS,
  rspamd: { url: 'http://127.0.0.1:1', timeoutMs: 1_000, onError: 'defer' },
}

const mail = (text: string): Message => fromBuffer(Buffer.from(text))

async function started(settings: FilterConfig) {
  const state = await temporaryDirectory()
  const log = keptLog()
  return { state, log, filters: new Filters(settings, { state, hostname: 'mx.example', log }) }
}

describe('the filters of a server', () => {
  it('let mail pass that is no loop, if nothing else was asked for', async () => {
    const { filters, state, log } = await started(DEFAULT_FILTERS)
    await filters.recipient(ENVELOPE, ALICE)
    expect(await filters.message(ENVELOPE, mail('Subject: x\n\n'))).toEqual(PASSED)
    const loop = mail('Delivered-To: alice@example.com\n\n')
    await expect(filters.message(ENVELOPE, loop)).rejects.toMatchObject({ status: '5.4.6' })
    await filters.close()
    expect((await loadEntries(join(state, 'greylist'), 10)).size).toBe(0)
    expect(log.events).toEqual([])
  })

  it('ask the cheap ones first: a loop is a loop though rspamd is away', async () => {
    const { filters } = await started(AWAY)
    const loop = mail('Delivered-To: alice@example.com\n\n')
    await expect(filters.message(ENVELOPE, loop)).rejects.toMatchObject({ status: '5.4.6' })
    await expect(filters.message(ENVELOPE, mail('\n'))).rejects.toMatchObject({ status: '4.7.1' })
  })

  it('take up other settings, and remember what they knew', async () => {
    const { filters, state } = await started(GREYLIST)
    await expect(filters.recipient(ENVELOPE, ALICE)).rejects.toMatchObject({ code: 451 })
    filters.reconfigure(DEFAULT_FILTERS)
    await filters.recipient(ENVELOPE, ALICE)
    filters.reconfigure({ ...GREYLIST, headers: { maxSize: 20_000, require: ['Date'] } })
    await expect(filters.recipient(ENVELOPE, ALICE)).rejects.toMatchObject({ code: 451 })
    await expect(filters.message(ENVELOPE, mail('\n'))).rejects.toMatchObject({ status: '5.6.0' })
    await filters.close()
    expect((await loadEntries(join(state, 'greylist'), 10)).size).toBe(1)
  })
})
