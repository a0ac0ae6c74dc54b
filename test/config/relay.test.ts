import { chmod } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { QUEUE } from '../../src/config/queue-config.js'
import { NO_RELAY, relayAsWritten } from '../../src/config/relay-config.js'
import { DOMAIN, inRoot, load, problems, write } from './stage.js'

const relayOf = async (text: string) => (await load(`${DOMAIN}${text}`)).relay
const ANY = { senderDomains: [], recipientDomains: [], users: [] }

async function secret(name: string, mode = 0o600): Promise<void> {
  await chmod(await write(name, 'open sesame\n'), mode)
}

describe('[relay]', () => {
  test('is nothing where nothing is said: no mail for other domains', async () => {
    expect(await relayOf('')).toEqual(NO_RELAY)
  })

  test('names smarthosts in the order in which they are tried', async () => {
    await secret('pw')
    const via =
      '["smtps://joe@Smtp.Provider.example", "smtp://joe%40a.org@[2001:DB8::1]:2525", "lmtp://127.0.0.1:24"]'
    expect(await relayOf(`[relay]\nvia = ${via}\npassword_file = "pw"\n`)).toEqual({
      routes: [
        {
          name: 'default',
          match: ANY,
          via: [
            { scheme: 'smtps', user: 'joe', host: 'smtp.provider.example', port: 465 },
            { scheme: 'smtp', user: 'joe@a.org', host: '2001:db8::1', port: 2525 },
            { scheme: 'lmtp', user: null, host: '127.0.0.1', port: 24 },
          ],
          secret: { kind: 'password', file: inRoot('pw') },
          tls: 'auto',
          ca: null,
          concurrency: 20,
          rate: null,
        },
      ],
      tlsPolicies: [],
    })
  })

  test.each([
    ['smtp://a.org', 25],
    ['smtp://a.org/', 25],
    ['smtp://joe@a.org', 587],
    ['smtp://joe@b.org@a.org', 587],
    ['smtps://a.org', 465],
    ['smtps://joe@a.org:10465', 10465],
  ])('knows the usual port of %s', async (url, port) => {
    await secret('pw')
    const file = url.includes('@') ? 'password_file = "pw"\n' : ''
    const { routes } = await relayOf(`[relay]\nvia = ["${url}"]\n${file}`)
    expect(routes[0]!.via).toEqual([expect.objectContaining({ host: 'a.org', port })])
  })

  test('has routes before the usual way, each with its own credentials', async () => {
    await secret('token')
    const text = [
      '[relay]',
      'via = ["mx"]',
      'rate = "100/min"',
      '[[relay.route]]',
      'name = "b-org"',
      'sender_domain = ["B.org", ".b.org"]',
      'user = "@B.org"',
      'via = ["smtp://joe@b.org"]',
      'token_file = "token"',
      'tls = "encrypt"',
      'concurrency = 3',
      '[[relay.route]]',
      'recipient_domain = "bücher.example"',
      'via = ["smtp://10.0.0.1"]',
      '[relay.tls_policy]',
      '"Example.net" = "verify"',
      '".gov.example" = "dane"',
      '',
    ].join('\n')
    const relay = await relayOf(text)
    expect(relay.routes).toEqual([
      expect.objectContaining({
        name: 'b-org',
        match: { senderDomains: ['b.org', '.b.org'], recipientDomains: [], users: ['@b.org'] },
        secret: { kind: 'token', file: inRoot('token') },
        tls: 'encrypt',
        concurrency: 3,
      }),
      expect.objectContaining({
        name: 'route2',
        match: { ...ANY, recipientDomains: ['xn--bcher-kva.example'] },
        secret: null,
      }),
      expect.objectContaining({
        name: 'default',
        match: ANY,
        via: 'mx',
        concurrency: 5,
        rate: { count: 100, periodMs: 60_000 },
      }),
    ])
    expect(relay.tlsPolicies).toEqual([
      { domain: 'example.net', tls: 'verify' },
      { domain: '.gov.example', tls: 'dane' },
    ])
    expect(relayAsWritten(relay)).toMatchObject({
      via: ['mx'],
      rate: '100/min',
      tls_policy: { 'example.net': 'verify' },
      route: [{ name: 'b-org', via: ['smtp://joe@b.org:587'] }, { name: 'route2' }],
    })
  })

  const VIA = 'via = ["smtp://joe@a.org"]'
  const ROUTE = '[relay]\nvia = ["mx"]\n[[relay.route]]\nvia = ["mx"]\n'
  test.each([
    ['[relay]\nvia = "mx"', '4:1: relay.via: expected a list of 10 at most'],
    ['[relay]\nvia = []', '4:1: relay.via: expected a list of 10 at most'],
    ['[relay]\nvia = ["http://a"]', '4:8: relay.via[0]: expected "smtp://[user@]host[:port]"'],
    ['[relay]\nvia = ["smtp://a.org:0"]', '4:8: relay.via[0]: expected'],
    ['[relay]\nvia = ["smtp://a.org:65536"]', '4:8: relay.via[0]: expected'],
    ['[relay]\nvia = ["smtp://a.org/x"]', '4:8: relay.via[0]: expected'],
    ['[relay]\nvia = ["smtp://@a.org"]', '4:8: relay.via[0]: expected'],
    ['[relay]\nvia = ["smtp://%0A@a.org"]', '4:8: relay.via[0]: expected'],
    ['[relay]\nvia = ["smtp://1.2.3"]', '4:8: relay.via[0]: expected'],
    ['[relay]\nvia = ["lmtp://a.org"]', 'relay.via[0]: lmtp:// needs a port'],
    ['[relay]\nvia = ["smtp://joe:sesame@a.org"]', 'no password belongs into the URL'],
    ['[relay]\nvia = ["mx", "smtp://a.org"]', '4:1: "mx" stands alone'],
    ['[relay]\ntls = "may"', '3:2: via is missing; say where mail goes'],
    [`[relay]\n${VIA}`, '4:1: no password for smtp://joe@a.org:587: write it into a file'],
    [`[relay]\n${VIA}\npassword_file = "none"`, 'none: no such file; make it or correct the path'],
    [`[relay]\n${VIA}\npassword_file = "open"`, '5:1: open: everybody on this machine gets at it'],
    [`[relay]\n${VIA}\npassword_file = "pw"\ntoken_file = "pw"`, '6:1: beside password_file'],
    [`[relay]\n${VIA}\npassword_file = "pw"\ntls = "never"`, '6:1: the password for smtp://joe@a'],
    ['[relay]\nvia = ["mx"]\npassword_file = "pw"', '5:1: nobody logs in with it'],
    ['[relay]\nvia = ["smtps://a.org"]\ntls = "never"', '5:1: smtps://a.org:465 is TLS'],
    ['[relay]\nvia = ["mx"]\nca = "none"', '5:1: none: no such file'],
    ['[relay]\nvia = ["mx"]\ntls = "dane"', 'relay.tls: expected "auto" or "never" or'],
    ['[relay]\nvia = ["mx"]\nconcurrency = 0', 'relay.concurrency: expected a whole number from 1'],
    ['[relay]\nvia = ["mx"]\nrate = "10"', 'relay.rate: expected a rate such as "10/s"'],
    ['[relay]\nvia = ["mx"]\nrate = "0/s"', 'relay.rate: expected a rate such as "10/s"'],
    ['[relay]\nvia = ["mx"]\npassword = "x"', '5:1: unknown key "password"; known here: via, pass'],
    ['[relay]\nvia = ["mx"]\n[relay.tls_policy]\n"a b" = "may"', '6:1: relay.tls_policy."a b"'],
    ['[relay]\nvia = ["mx"]\n[relay.tls_policy]\n"a.org" = "x"', 'expected "auto" or "never" or'],
    [ROUTE, '5:3: this route says for which mail it is'],
    [`${ROUTE}user = "joe"`, '7:1: relay.route[0].user: expected an address such as'],
    [`${ROUTE}user = []`, '7:1: relay.route[0].user: expected an address such as'],
    [`${ROUTE}sender_domain = "a b"`, '7:1: relay.route[0].sender_domain: expected a domain'],
    [`${ROUTE}sender_domain = 5`, '7:1: relay.route[0].sender_domain: expected a domain'],
    [`${ROUTE}user = "@a.org"\nname = "default"`, 'relay.route[0].name: expected a name of up to'],
    [`${ROUTE}user = "@a.org"\nname = "a b"`, 'relay.route[0].name: expected a name of up to'],
    [`${ROUTE}user = "@a.org"\ntls_policy = {}`, 'unknown key "tls_policy"; known here: name'],
    [
      '[relay]\nvia = ["mx"]\n[[relay.route]]\nuser = "@a.org"\n',
      '5:3: via is missing; say where this mail goes',
    ],
    [
      `${ROUTE}user = "@a.org"\nname = "x"\n[[relay.route]]\nuser = "@b.org"\nvia = ["mx"]\nname = "x"`,
      "12:1: a route is named 'x' already",
    ],
  ])('is refused with a word about it: %j', async (text, problem) => {
    await secret('pw')
    await secret('open', 0o644)
    const found = await problems(`${DOMAIN}${text}\n`)
    expect(found).toEqual([expect.stringContaining(problem)])
    expect(found.join()).not.toContain('sesame')
  })

  test('takes a password in clear to this machine only', async () => {
    await secret('pw')
    const rest = 'password_file = "pw"\ntls = "never"\n'
    const { routes } = await relayOf(`[relay]\nvia = ["smtp://joe@127.0.0.1:2525"]\n${rest}`)
    expect(routes[0]!.tls).toBe('never')
  })
})

describe('[queue]', () => {
  const queueOf = async (text: string) => (await load(`${DOMAIN}${text}`)).queue

  test('has the usual times', async () => {
    expect(await queueOf('')).toEqual(QUEUE)
    expect(QUEUE).toEqual({
      retryFirstMs: 300_000,
      retryMaxMs: 14_400_000,
      warnAfterMs: 14_400_000,
      expireAfterMs: 432_000_000,
    })
  })

  test('says how long mail waits', async () => {
    const times = ['retry_first = "30s"', 'retry_max = "1h"', 'warn_after = "off"']
    expect(await queueOf(`[queue]\n${times.join('\n')}\nexpire_after = "2d"\n`)).toEqual({
      retryFirstMs: 30_000,
      retryMaxMs: 3_600_000,
      warnAfterMs: null,
      expireAfterMs: 172_800_000,
    })
  })

  test.each([
    ['retry_first = "5"', '4:1: queue.retry_first: expected a time such as "30s"'],
    ['retry_first = "0m"', '4:1: queue.retry_first: expected a time'],
    ['retry_first = 5', '4:1: queue.retry_first: expected a time'],
    ['expire_after = "31d"', '4:1: queue.expire_after: expected a time'],
    ['expire_after = "off"', '4:1: queue.expire_after: expected a time'],
    ['retry_max = "1m"', '4:1: shorter than retry_first'],
    ['expire_after = "4h"', '4:1: mail would be given up before it is tried again'],
    ['warn_after = "6d"', '4:1: mail is given up before that'],
    ['max = "1d"', 'unknown key "max"; known here: retry_first, retry_max, warn_after'],
  ])('is refused with a word about it: %j', async (text, problem) => {
    const found = await problems(`${DOMAIN}[queue]\n${text}\n`)
    expect(found).toEqual([expect.stringContaining(problem)])
  })
})
