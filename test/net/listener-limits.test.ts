/** Clients that there is no room for: they are told whose fault it is, and the log is. */
import { describe, expect, test } from 'vitest'
import { type Fields, type Log, silent } from '../../src/log/log.js'
import type { Admission, Excess } from '../../src/net/doorkeeper.js'
import { certificate, OPEN_DOORS, stage, until } from '../helpers/listener-stage.js'

const refusing = (why: Excess) => ({
  ...OPEN_DOORS,
  admit: async (): Promise<Admission> => ({ admitted: false, why }),
})

describe('a client that there is no room for', () => {
  test.each([
    ['address', 'too-many-yours'],
    ['network', 'too-many-yours'],
    ['address-rate', 'too-many-yours'],
    ['in-all', 'too-many'],
  ] as const)('hears whose fault it is: %s', async (why, said) => {
    const { client, sessions } = await stage({ doorkeeper: refusing(why) })
    const refused = await client()
    expect(await refused.end()).toBe(`${said}\r\n`)
    await until(() => sessions.length === 1 && sessions[0]!.isClosed)
  })

  test('hears so also while files are short, and the next is served when they are not', async () => {
    let short = true
    const doorkeeper = { ...OPEN_DOORS, short: () => short }
    const { client } = await stage({ doorkeeper })
    const refused = await client()
    expect(await refused.end()).toBe('too-many\r\n')
    short = false
    const next = await client()
    await next.hear('hello\r\n')
    next.socket.destroy()
  })

  test('is cut off where TLS would come first', async () => {
    await certificate()
    const { client } = await stage({ doorkeeper: refusing('address'), implicitTls: true })
    const refused = await client()
    expect(await refused.end()).toBe('')
  })

  test('is counted, and the log tells of all of them together', async () => {
    const warnings: Fields[] = []
    const log: Log = {
      ...silent,
      warn: (event, fields) => void warnings.push({ event, ...fields }),
    }
    const { client } = await stage({ doorkeeper: refusing('address-rate'), log })
    for (let i = 0; i < 3; i++) await (await client()).end()
    await until(() => warnings.length > 0)
    const told = warnings.reduce((sum, { refused }) => sum + Number(refused), 0)
    expect(told).toBe(3)
    expect(warnings[0]).toMatchObject({
      event: 'net too many connections',
      protocol: 'echo',
      why: 'address-rate',
      last: '127.0.0.1',
    })
  })
})

describe('a client that was let in', () => {
  test('is missed when it is gone, however it goes', async () => {
    let here = 0
    const doorkeeper = {
      ...OPEN_DOORS,
      admit: async (): Promise<Admission> => {
        here++
        return { admitted: true, leave: () => void here-- }
      },
    }
    const { client } = await stage({ doorkeeper })
    const [polite, rude, unlucky] = [await client(), await client(), await client()]
    for (const each of [polite, rude, unlucky]) await each.hear('hello\r\n')
    expect(here).toBe(3)
    polite.send('bye\r\n')
    rude.socket.resetAndDestroy()
    unlucky.send('fail\r\n')
    await until(() => here === 0)
    await polite.end()
  })
})
