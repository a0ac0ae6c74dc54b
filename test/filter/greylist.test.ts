import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GreylistFilter } from '../../src/filter/greylist.js'
import { loadEntries } from '../../src/filter/greylist-file.js'
import { GreylistMemory } from '../../src/filter/greylist-memory.js'
import type { Address } from '../../src/mail/address.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { keptLog } from '../helpers/kept-log.js'
import { addressOf, envelopeOf } from '../helpers/mail-world.js'

const ALICE = addressOf('alice@example.com')
const DAY = 86_400

/** A greylist with a clock of its own; mail goes to alice if not said otherwise. */
async function started(settings = { delay: 60, trustAfter: 3 }) {
  const path = join(await temporaryDirectory(), 'greylist')
  const clock = { seconds: 1_800_000_000 }
  const log = keptLog()
  const open = () => new GreylistMemory({ path, log, now: () => clock.seconds * 1000 })
  let memory = open()
  const ask = async (from: string | null, address = '192.0.2.7', to: Address = ALICE) => {
    const envelope = envelopeOf(from)
    const opening = { ...envelope, client: { ...envelope.client, address } }
    try {
      await new GreylistFilter(settings, memory).recipient(opening, to)
      return 'taken'
    } catch (error) {
      return error
    }
  }
  const restart = async () => {
    await memory.close()
    memory = open()
  }
  return { path, clock, log, ask, restart, close: () => memory.close() }
}

const later = (seconds: number) => ({
  code: 451,
  status: '4.7.1',
  message: expect.stringContaining(`try again in ${seconds} seconds`),
})

describe('greylisting', () => {
  it('has the first mail come again after the delay, and no other that is like it', async () => {
    const { ask, clock } = await started()
    expect(await ask('bob@far.example')).toMatchObject(later(60))
    clock.seconds += 59
    expect(await ask('BOB@far.example')).toMatchObject(later(1))
    clock.seconds += 1
    expect(await ask('bob@far.example', '192.0.2.200')).toBe('taken')
    expect(await ask('bob@far.example')).toBe('taken')
    clock.seconds += 35 * DAY
    expect(await ask('bob@far.example')).toBe('taken')
  })

  it('tells networks, senders and recipients apart', async () => {
    const { ask, clock } = await started()
    expect(await ask('bob@far.example')).toMatchObject(later(60))
    clock.seconds += 60
    expect(await ask('carol@far.example')).toMatchObject(later(60))
    expect(await ask(null)).toMatchObject(later(60))
    expect(await ask('bob@far.example', '192.0.3.7')).toMatchObject(later(60))
    expect(await ask('bob@far.example', '2001:db8::1')).toMatchObject(later(60))
    expect(await ask('bob@far.example', '192.0.2.7', addressOf('eve@example.com'))).toMatchObject(
      later(60),
    )
    expect(await ask('bob@far.example')).toBe('taken')
  })

  it('trusts a network after some mails that came again', async () => {
    const { ask, clock } = await started()
    for (const from of ['a@far.example', 'b@far.example', 'c@far.example']) {
      expect(await ask(from)).toMatchObject(later(60))
      clock.seconds += 60
      expect(await ask(from)).toBe('taken')
      expect(await ask(from)).toBe('taken')
    }
    expect(await ask('d@far.example', '192.0.2.99')).toBe('taken')
    expect(await ask('d@far.example', '192.0.3.99')).toMatchObject(later(60))
    clock.seconds += 37 * DAY
    expect(await ask('e@far.example')).toMatchObject(later(60))
  })

  it('begins anew for mail that took too long to come again', async () => {
    const { ask, clock } = await started()
    await ask('bob@far.example')
    clock.seconds += 3 * DAY
    expect(await ask('bob@far.example')).toMatchObject(later(60))
  })

  it('never stands before postmaster and abuse, users, and clients that are near', async () => {
    const { ask } = await started()
    for (const to of ['postmaster', 'POSTMASTER', 'abuse']) {
      expect(await ask('x@far.example', '192.0.2.7', addressOf(`${to}@example.com`))).toBe('taken')
    }
    for (const near of ['127.0.0.1', '10.0.0.7', '::1', '']) {
      expect(await ask('x@far.example', near)).toBe('taken')
    }
  })

  it('survives a restart, in a file that tells nobody who writes to whom', async () => {
    const { ask, clock, restart, path, log } = await started()
    await ask('bob@far.example')
    clock.seconds += 60
    await restart()
    expect(await ask('bob@far.example')).toBe('taken')
    await restart()
    expect(await ask('bob@far.example')).toBe('taken')
    const text = await readFile(path, 'utf8')
    expect(text).toMatch(/^([\w-]{20} 1800000\d{3} 1800000\d{3} \d\n){2}$/)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(log.events).toEqual([])
  })

  it('makes do with what is left of a broken file', async () => {
    const { ask, clock, path, restart, close } = await started()
    await ask('bob@far.example')
    await close()
    const good = await readFile(path, 'utf8')
    await writeFile(path, `nonsense\n${'x'.repeat(100_000)}\0\n${good}${good.slice(0, 9)}`)
    await restart()
    clock.seconds += 60
    expect(await ask('bob@far.example')).toBe('taken')
  })

  it('works without a file, and says that it cannot be read or written', async () => {
    const log = keptLog()
    const path = join(await temporaryDirectory(), 'no', 'directory')
    const memory = new GreylistMemory({ path, log })
    await memory.ready()
    expect(memory.begin('k')).toBe(true)
    await memory.close()
    expect(log.of('greylist cannot be written')).toEqual([
      { file: path, reason: expect.stringContaining('ENOENT') },
    ])
  })

  it('keeps nobody out when more mail waits than it can remember', async () => {
    const { ask, clock } = await started()
    await ask('known@far.example')
    clock.seconds += 60
    expect(await ask('known@far.example')).toBe('taken')
    for (let count = 0; count < 50_000; count++) await ask(`x${count}@far.example`)
    expect(await ask('new@far.example')).toBe('taken')
    expect(await ask('known@far.example')).toBe('taken')
    expect(await ask('x7@far.example')).toMatchObject(later(60))
    // What has waited for an hour makes room.
    clock.seconds += 3_600
    expect(await ask('new@far.example')).toMatchObject(later(60))
    expect(await ask('known@far.example')).toBe('taken')
  })

  it('takes no more entries from a file than it may', async () => {
    const path = join(await temporaryDirectory(), 'greylist')
    const line = (index: number) => `${String(index).padStart(20, 'k')} 1 2 3\n`
    await writeFile(path, Array.from({ length: 20 }, (_, index) => line(index)).join(''))
    expect((await loadEntries(path, 10)).size).toBe(10)
    expect([...(await loadEntries(path, 100)).values()][0]).toEqual({
      since: 1,
      seen: 2,
      passes: 3,
    })
  })
})
