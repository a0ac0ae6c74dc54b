import { describe, expect, test } from 'vitest'
import { CLIENT_LIMITS, limitsAsWritten } from '../../src/config/limits.js'
import { DOMAIN, inRoot, load, problems, write } from './stage.js'

describe('[limits] for clients', () => {
  test('has defaults', async () => {
    const { limits } = await load(DOMAIN)
    expect(limits.clients).toEqual(CLIENT_LIMITS)
    expect(limits.clients.trusted.texts).toEqual([])
  })

  test('means what it says, and can be written again', async () => {
    const written = [
      'connections_in_all = 7',
      'connections_per_address = 0',
      'connections_per_network = 9',
      'connection_rate_per_address = 10',
      'connection_rate_per_network = 11',
      'login_failures_per_address = 12',
      'login_failures_per_network = 0',
      'login_failures_per_user = 14',
      'trusted = ["192.0.2.0/24", "::1"]',
    ]
    const { limits } = await load(`${DOMAIN}[limits]\n${written.join('\n')}\n`)
    const { trusted, ...numbers } = limits.clients
    expect(numbers).toEqual({
      inAll: 7,
      perAddress: 0,
      perNetwork: 9,
      ratePerAddress: 10,
      ratePerNetwork: 11,
      failuresPerAddress: 12,
      failuresPerNetwork: 0,
      failuresPerUser: 14,
    })
    expect(['192.0.2.9', '::1', '192.0.3.1'].map((each) => trusted.has(each))).toEqual([
      true,
      true,
      false,
    ])
    expect(limitsAsWritten(limits)).toMatchObject({
      connections_in_all: 7,
      login_failures_per_address: 12,
      login_failures_per_network: 0,
      login_failures_per_user: 14,
      trusted: ['192.0.2.0/24', '::1'],
    })
  })

  test.each([
    ['connections_per_address = -1', 'a whole number from 0 to 1000000'],
    ['connection_rate_per_network = 1.5', 'a whole number from 0 to 1000000'],
    ['login_failures_per_user = -1', 'a whole number from 0 to 1000000'],
    ['trusted = "192.0.2.1"', 'expected a list of networks'],
    ['trusted = ["192.0.2.1/24"]', 'use 192.0.2.0/24'],
    ['trusted = ["office"]', "'office' is no network"],
  ])('takes no %s', async (line, complaint) => {
    expect(await problems(`${DOMAIN}[limits]\n${line}\n`)).toEqual([
      expect.stringContaining(complaint),
    ])
  })
})

describe('the certificate of a domain', () => {
  test('is found from the config, and both files must be there', async () => {
    await write('own.crt', '')
    const own = `${DOMAIN}tls = { cert = "own.crt", key = "own.key" }\n`
    expect(await problems(own)).toEqual(['mailtap.toml:3:27: own.key: no such file'])
    await write('own.key', '')
    const { domains } = await load(own)
    const tls = { cert: inRoot('own.crt'), key: inRoot('own.key') }
    expect(domains['example.com']).toMatchObject({ tls })
  })

  test('needs its key', async () => {
    expect(await problems(`${DOMAIN}tls = { cert = "own.crt" }\n`)).toEqual([
      expect.stringContaining('tls.key: missing; expected a PEM file'),
    ])
  })
})
