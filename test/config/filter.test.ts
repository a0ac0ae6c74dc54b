import { describe, expect, test } from 'vitest'
import { DEFAULT_FILTERS } from '../../src/config/filter-config.js'
import { DOMAIN, load, problems } from './stage.js'

const filterOf = async (text: string) => (await load(`${DOMAIN}${text}`)).filter

describe('[filter]', () => {
  test('has defaults that ask nobody', async () => {
    expect(await filterOf('')).toEqual(DEFAULT_FILTERS)
    expect(await filterOf('[filter]\n')).toEqual(DEFAULT_FILTERS)
    expect(await filterOf('[filter.milter]\n[filter.greylist]\n')).toEqual(DEFAULT_FILTERS)
  })

  test('says what each filter needs', async () => {
    const text = [
      '[filter.headers]',
      'max_size = "1MB"',
      'require = ["From", "Date"]',
      '[filter.dnsbl]',
      'lists = ["Zen.Spamhaus.org", "bl.example=127.0.0.2,127.0.0.10"]',
      'action = "mark"',
      'resolvers = ["127.0.0.1:53", "[::1]:5353"]',
      '[filter.greylist]',
      'enabled = true',
      'delay = 300',
      '[filter.rspamd]',
      'on_error = "accept"',
      '[filter.milter]',
      'endpoints = ["inet:127.0.0.1@8891", "inet:8892@localhost", "inet6:[::1]@1", "unix:/run/m"]',
      'timeout = 5',
    ].join('\n')
    const outage = { timeoutMs: 5_000, onError: 'defer' }
    expect(await filterOf(text)).toEqual({
      headers: { maxSize: 1_048_576, require: ['From', 'Date'] },
      dnsbl: {
        lists: [
          { zone: 'zen.spamhaus.org', codes: [] },
          { zone: 'bl.example', codes: ['127.0.0.2', '127.0.0.10'] },
        ],
        action: 'mark',
        resolvers: ['127.0.0.1:53', '[::1]:5353'],
      },
      greylist: { delay: 300, trustAfter: 5 },
      rspamd: { url: 'http://127.0.0.1:11333', timeoutMs: 20_000, onError: 'accept' },
      milters: [
        { endpoint: { host: '127.0.0.1', port: 8891 }, ...outage },
        { endpoint: { host: 'localhost', port: 8892 }, ...outage },
        { endpoint: { host: '::1', port: 1 }, ...outage },
        { endpoint: { path: '/run/m' }, ...outage },
      ],
    })
  })

  test.each([
    ['[filter.headers]\nmax_size = "1kB"', 'filter.headers.max_size: expected a size from 16 kB'],
    ['[filter.headers]\nmax_size = "1GB"', 'filter.headers.max_size: expected a size from 16 kB'],
    ['[filter.headers]\nrequire = ["From:"]', 'filter.headers.require[0]: expected the name of a'],
    ['[filter.dnsbl]\nlists = [""]', 'filter.dnsbl.lists[0]: expected a DNS list such as'],
    ['[filter.dnsbl]\nlists = ["x=y"]', 'filter.dnsbl.lists[0]: expected a DNS list such as'],
    ['[filter.dnsbl]\nlists = ["x=127.0.0.2=3"]', 'filter.dnsbl.lists[0]: expected a DNS list'],
    ['[filter.dnsbl]\nlists = ["[127.0.0.1]"]', 'filter.dnsbl.lists[0]: expected a DNS list'],
    ['[filter.dnsbl]\nresolvers = ["localhost:53"]', 'filter.dnsbl.resolvers[0]: expected a name'],
    ['[filter.dnsbl]\nresolvers = ["127.0.0.1:0"]', 'filter.dnsbl.resolvers[0]: expected a name'],
    ['[filter.greylist]\ndelay = 5', 'filter.greylist.delay: expected a whole number from 60 to'],
    ['[filter.rspamd]\nurl = "https://x/"', 'filter.rspamd.url: expected a URL such as'],
    ['[filter.rspamd]\nurl = "http://u:p@x/"', 'filter.rspamd.url: expected a URL such as'],
    ['[filter.rspamd]\nurl = "http://x/path"', 'filter.rspamd.url: expected a URL such as'],
    [
      '[filter.rspamd]\ntimeout = 60',
      'filter.rspamd.timeout: expected a whole number from 1 to 50',
    ],
    ['[filter.milter]\nendpoints = ["8891"]', 'filter.milter.endpoints[0]: expected a milter such'],
    ['[filter.milter]\nendpoints = ["inet:a@b"]', 'filter.milter.endpoints[0]: expected a milter'],
    ['[filter.milter]\nendpoints = ["inet:1@0"]', 'filter.milter.endpoints[0]: expected a milter'],
    ['[filter.milter]\nendpoints = ["unix:m"]', 'filter.milter.endpoints[0]: expected a milter'],
    ['[filter.milter]\non_error = "drop"', 'filter.milter.on_error: expected "defer" or "accept"'],
    ['[filter.spf]\n', 'unknown key "spf"; known here: headers, dnsbl, greylist, rspamd, milter'],
  ])('is refused with a word about it: %j', async (text, problem) => {
    expect(await problems(`${DOMAIN}${text}\n`)).toEqual([expect.stringContaining(problem)])
  })

  test('has no list longer than it can ask', async () => {
    const lists = Array.from({ length: 21 }, (_, index) => `"bl${index}.example"`).join(', ')
    expect(await problems(`${DOMAIN}[filter.dnsbl]\nlists = [${lists}]\n`)).toEqual([
      expect.stringContaining('filter.dnsbl.lists: expected 20 at most'),
    ])
  })
})
