/** The resolver against a name server that says what it should not, and against a real one. */
import { writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silent } from '../../src/log/log.js'
import { Dns, DnsFailure } from '../../src/relay/dns.js'
import type { DnsServer } from '../../src/relay/dns-exchange.js'
import { systemServers } from '../../src/relay/dns-servers.js'
import { freePort, startDaemon } from '../helpers/daemon.js'
import { inHome, testUnless, testWith } from '../helpers/programs.js'
import { cname, DnsStage, ip, mx, NXDOMAIN, type Script, SERVFAIL } from './dns-stage.js'

let stage: DnsStage
let dns: Dns

beforeEach(async () => {
  patience = 10_000
  stage = await DnsStage.start()
  dns = dnsOf({ address: '127.0.0.1', port: stage.port })
})
afterEach(() => stage.stop())

/** A loaded machine may need long for an answer; for one that never comes a test need not wait so long. */
let patience: number

function dnsOf(...servers: DnsServer[]): Dns {
  const settings = { servers: async () => servers, log: silent }
  return new Dns({
    ...settings,
    get patienceMs() {
      return patience
    },
  })
}

describe('what the DNS says', () => {
  test('is read, and kept for as long as it may be', async () => {
    stage.set('example.com', 'MX', [mx(10, 'mx.example.com')])
    const expected = [{ preference: 10, exchange: 'mx.example.com' }]
    expect((await dns.lookup('Example.com', 'MX')).records).toEqual(expected)
    expect((await dns.lookup('example.com', 'MX')).records).toEqual(expected)
    expect(stage.asked).toEqual(['example.com MX udp'])
  })

  test('is asked for once by those who ask at the same time', async () => {
    await Promise.all(Array.from({ length: 50 }, () => dns.lookup('example.com', 'A')))
    expect(stage.asked).toEqual(['example.com A udp'])
  })

  test('may be that there is nothing, or no such name', async () => {
    stage.set('gone.example', 'A', NXDOMAIN)
    expect((await dns.lookup('gone.example', 'A')).records).toEqual([])
    expect((await dns.lookup('empty.example', 'A')).records).toEqual([])
  })

  test('comes by TCP where it does not fit: a thousand MX', async () => {
    const records = Array.from({ length: 1_000 }, (_, at) => mx(at, `mx${at}.example.com`))
    stage.set('example.com', 'MX', { records, truncated: true })
    expect((await dns.lookup('example.com', 'MX')).records).toHaveLength(1_000)
    expect(stage.asked).toEqual(['example.com MX udp', 'example.com MX tcp'])
  })

  test('is heard among packets that are none of it', async () => {
    const raw = (good: Buffer): Buffer[] => {
      const otherId = Buffer.from(good)
      otherId[0]! ^= 1
      const otherName = Buffer.from(good)
      otherName[13]! ^= 1
      return [Buffer.from('rubbish'), otherId, otherName, good.subarray(0, -1), good]
    }
    stage.set('example.com', 'A', { records: [ip('192.0.2.1')], raw })
    expect((await dns.lookup('example.com', 'A')).records).toEqual(['192.0.2.1'])
  })

  test('is heard from a server that does not know EDNS', async () => {
    stage.set('example.com', 'A', { records: [ip('192.0.2.1')], refusesEdns: true })
    expect((await dns.lookup('example.com', 'A')).records).toEqual(['192.0.2.1'])
    expect(stage.asked).toHaveLength(2)
  })

  test('is not asked for a name that is none', async () => {
    for (const name of ['', 'a\0.example', 'ä.example', '127.0.0.1 x', 'x'.repeat(254)]) {
      expect((await dns.lookup(name, 'A')).records).toEqual([])
    }
    expect(stage.asked).toEqual([])
  })

  test('about other names does not count', async () => {
    const records = [{ ...ip('192.0.2.66'), name: 'victim.example' }, ip('192.0.2.1')]
    stage.set('example.com', 'A', records)
    expect((await dns.lookup('example.com', 'A')).records).toEqual(['192.0.2.1'])
    expect((await dns.lookup('victim.example', 'A')).records).toEqual([])
  })
})

describe('an alias', () => {
  test('leads on within one reply, and from question to question', async () => {
    const there = { ...ip('192.0.2.1'), name: 'b.example' }
    stage.set('a.example', 'A', [cname('b.example'), there])
    stage.set('c.example', 'A', [cname('a.example')])
    const direct = await dns.lookup('a.example', 'A')
    expect(direct).toMatchObject({ records: ['192.0.2.1'], name: 'b.example' })
    expect(await dns.lookup('c.example', 'A')).toEqual(direct)
  })

  test('to a name that does not exist is nothing', async () => {
    stage.set('a.example', 'A', { records: [cname('b.example')], rcode: 3 })
    expect(await dns.lookup('a.example', 'A')).toMatchObject({ records: [], name: 'b.example' })
  })

  test.each([
    ['in one reply', [cname('b.example'), cname('a.example', 'b.example')]],
    ['from reply to reply', [cname('a.example')]],
    ['to the root', [cname('')]],
  ])('that goes round %s is no answer', async (_, records) => {
    stage.set('a.example', 'A', records)
    await expect(dns.lookup('a.example', 'A')).rejects.toBeInstanceOf(DnsFailure)
  })
})

describe('signed', () => {
  const SIGNED: Script = { records: [ip('192.0.2.1')], signed: true }

  test('is what a resolver on this machine says is signed', async () => {
    stage.set('signed.example', 'A', SIGNED)
    stage.set('plain.example', 'A', [ip('192.0.2.1')])
    expect((await dns.lookup('signed.example', 'A')).authentic).toBe(true)
    expect((await dns.lookup('plain.example', 'A')).authentic).toBe(false)
  })

  test('is no answer of which a part is not', async () => {
    stage.set('half.example', 'A', [cname('signed.example')])
    stage.set('signed.example', 'A', SIGNED)
    expect(await dns.lookup('half.example', 'A')).toMatchObject({
      records: ['192.0.2.1'],
      authentic: false,
    })
  })

  const outside = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address
  testUnless(
    outside === undefined ? 'no address but loopback' : null,
    'is nothing that a resolver elsewhere says: anybody on the way may have said it',
    async () => {
      const far = await DnsStage.start(outside)
      far.set('signed.example', 'A', SIGNED)
      const answer = await dnsOf({ address: outside!, port: far.port }).lookup(
        'signed.example',
        'A',
      )
      far.stop()
      expect(answer).toMatchObject({ records: ['192.0.2.1'], authentic: false })
    },
  )
})

describe('no answer at all', () => {
  test.each<[string, Script]>([
    ['SERVFAIL', SERVFAIL],
    ['REFUSED', { rcode: 5 }],
    ['silence', { mute: true }],
    ['rubbish', { raw: () => [Buffer.from('rubbish')] }],
    [
      'a flood of rubbish',
      { raw: () => Array.from({ length: 200 }, () => Buffer.from('rubbish')) },
    ],
    ['a record cut off', { records: [ip('192.0.2.1')], raw: (good) => [good.subarray(0, -1)] }],
    ['truncation by TCP, too', { truncated: 'everywhere' }],
    ['another name by TCP', { truncated: true, raw: (good) => [good.fill(1, 13, 14)] }],
    ['a broken record', { records: [{ type: 'A', data: Buffer.alloc(3) }] }],
  ])('is %s', async (_, script) => {
    patience = 250
    stage.set('example.com', 'A', script)
    await expect(dns.lookup('example.com', 'A')).rejects.toBeInstanceOf(DnsFailure)
  })

  test('of one server is an occasion to ask the next, and that one first from then on', async () => {
    patience = 1_000
    const dead = await DnsStage.start()
    dead.set('example.com', 'A', { mute: true })
    const both = dnsOf(
      { address: '127.0.0.1', port: dead.port },
      { address: '127.0.0.1', port: stage.port },
    )
    stage.set('example.com', 'A', [ip('192.0.2.1')])
    expect((await both.lookup('example.com', 'A')).records).toEqual(['192.0.2.1'])
    expect((await both.lookup('other.example', 'A')).records).toEqual([])
    expect(dead.asked).toEqual(['example.com A udp'])
    expect(stage.asked).toEqual(['example.com A udp', 'other.example A udp'])
    dead.stop()
  })

  test('is not kept: the next one is asked anew', async () => {
    stage.set('example.com', 'A', SERVFAIL)
    await expect(dns.lookup('example.com', 'A')).rejects.toBeInstanceOf(DnsFailure)
    stage.set('example.com', 'A', [ip('192.0.2.1')])
    expect((await dns.lookup('example.com', 'A')).records).toEqual(['192.0.2.1'])
  })

  test('because signatures are wrong is not mended by a server that checks none', async () => {
    const other = await DnsStage.start()
    stage.set('bogus.example', 'A', SERVFAIL)
    other.set('bogus.example', 'A', [ip('192.0.2.66')])
    const both = dnsOf(
      { address: '127.0.0.1', port: stage.port },
      { address: '127.0.0.1', port: other.port },
    )
    await expect(both.lookup('bogus.example', 'A')).rejects.toBeInstanceOf(DnsFailure)
    expect(other.asked).toEqual([])
    other.stop()
  })
})

describe('the name servers of this machine', () => {
  test('are those of resolv.conf, three at most; the one of this machine without any', async () => {
    await inHome(async (home) => {
      const path = join(home, 'resolv.conf')
      expect(await systemServers(path)).toEqual([{ address: '127.0.0.1', port: 53 }])
      const lines = [
        '# nameserver 9.9.9.9',
        'nameserver 192.0.2.1',
        'nameserver\t::1 # x',
        'nameserver x',
      ]
      await writeFile(path, [...lines, 'nameserver 192.0.2.2', 'nameserver 192.0.2.3'].join('\n'))
      const addresses = (await systemServers(path)).map(({ address }) => address)
      expect(addresses).toEqual(['192.0.2.1', '::1', '192.0.2.2'])
    })
  })
})

describe('dnsmasq', () => {
  testWith(['dnsmasq'], 'is understood', async () => {
    const port = await freePort()
    const real = dnsOf({ address: '127.0.0.1', port })
    const args = ['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts']
    const where = ['--user=', '--pid-file=', `--port=${port}`, '--listen-address=127.0.0.1']
    const daemon = await startDaemon(
      'dnsmasq',
      [
        ...[...args, ...where, '--bind-interfaces', '--local=/example/'],
        '--mx-host=mail.example,mx1.mail.example,10',
        '--mx-host=mail.example,mx2.mail.example,20',
        '--host-record=mx1.mail.example,192.0.2.1,2001:db8::1',
        '--txt-record=_mta-sts.mail.example,v=STSv1; id=1;',
        '--cname=alias.example,mx1.mail.example',
      ],
      async () => {
        return real.lookup('mx1.mail.example', 'A').then(
          ({ records }) => records.length === 1,
          () => false,
        )
      },
    )
    try {
      const found = (await real.lookup('mail.example', 'MX')).records
      expect(found.toSorted((one, other) => one.preference - other.preference)).toEqual([
        { preference: 10, exchange: 'mx1.mail.example' },
        { preference: 20, exchange: 'mx2.mail.example' },
      ])
      expect((await real.lookup('mx1.mail.example', 'AAAA')).records).toEqual(['2001:db8::1'])
      expect((await real.lookup('_mta-sts.mail.example', 'TXT')).records).toEqual([
        'v=STSv1; id=1;',
      ])
      expect(await real.lookup('alias.example', 'A')).toMatchObject({
        records: ['192.0.2.1'],
        name: 'mx1.mail.example',
        authentic: false,
      })
      expect((await real.lookup('none.example', 'MX')).records).toEqual([])
      await expect(real.lookup('elsewhere.invalid', 'A')).rejects.toBeInstanceOf(DnsFailure)
    } finally {
      await daemon.stop()
    }
  })
})
