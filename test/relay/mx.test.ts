/** Direct delivery: which servers are tried for a domain, in which order, with what TLS, and what comes of it. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Dns } from '../../src/relay/dns.js'
import type { Hop, HopResult } from '../../src/relay/hop.js'
import { MtaSts } from '../../src/relay/mta-sts.js'
import { StsStore } from '../../src/relay/mta-sts-store.js'
import { MxDelivery } from '../../src/relay/mx.js'
import type { RelayWork } from '../../src/relay/relay.js'
import type { DestinationTls } from '../../src/relay/routes.js'
import { keptLog, type KeptLog } from '../helpers/kept-log.js'
import { cname, DnsStage, ip, mx, NXDOMAIN, type Script, SERVFAIL, tlsa, txt } from './dns-stage.js'
import { MESSAGE, TAKEN, unusable, work } from './relay-stage.js'

const DOMAIN = 'example.com'
const OUR_ADDRESS = '192.0.2.99'
const DIGEST = createHash('sha256').update('key').digest()

/** A loaded machine may need long for an answer; for one that never comes a test need not wait so long. */
const PATIENT_MS = 10_000
const IMPATIENT_MS = 250
const HASTY_MS = 1_000
let patience = PATIENT_MS

let stage: DnsStage
let folder: string
let store: StsStore
let log: KeptLog
let delivery: MxDelivery
/** Where the message was handed to. */
let hops: Hop[]
/** By address; who is not in it takes everything. */
let answers: Map<string, HopResult>
/** What is thrown instead. */
let fault: Error | null

beforeEach(async () => {
  stage = await DnsStage.start()
  folder = await mkdtemp(join(tmpdir(), 'mailtap-mx-'))
  store = new StsStore(folder)
  log = keptLog()
  hops = []
  answers = new Map()
  fault = null
  const servers = [{ address: '127.0.0.1', port: stage.port }]
  patience = PATIENT_MS
  const dns = new Dns({
    servers: async () => servers,
    log,
    get patienceMs() {
      return patience
    },
  })
  delivery = new MxDelivery({
    dns,
    sts: new MtaSts({ dns, store, log }),
    hand,
    ourselves: {
      isOurselves: (address) => address === OUR_ADDRESS,
      isOurName: (name) => name === 'mx.here.example',
    },
    log,
  })
})
afterEach(async () => {
  stage.stop()
  await rm(folder, { recursive: true, force: true })
})

async function hand(hop: Hop, { recipients }: RelayWork): Promise<HopResult> {
  hops.push(hop)
  if (fault !== null) throw fault
  const taken = { kind: 'answered', outcomes: recipients.map(() => TAKEN) } as const
  return answers.get(hop.address!) ?? taken
}

/** `a.example` at 192.0.2.1, `b.example` at 192.0.2.2 … */
function hosts(signed = false): void {
  for (const [at, letter] of [...'abcdef'].entries()) {
    stage.set(`${letter}.example`, 'A', { records: [ip(`192.0.2.${at + 1}`)], signed })
  }
}

interface How {
  readonly policy?: DestinationTls
  readonly requireTls?: boolean
  readonly domain?: string
}

async function deliver({ policy = 'auto', requireTls = false, domain = DOMAIN }: How = {}) {
  hops = []
  const mail = { ...work('one@example.com', 'two@example.com'), requireTls }
  const outcomes = await delivery.deliver(domain, mail, MESSAGE, policy)
  expect(outcomes).toHaveLength(2)
  expect(outcomes[1]).toEqual(outcomes[0])
  return outcomes[0]!
}

const codeOf = ({ refusal }: Awaited<ReturnType<typeof deliver>>): string =>
  refusal === null ? 'sent' : `${refusal.code} ${refusal.status}`

const tried = (): (string | null)[] => hops.map(({ address }) => address)

describe('what the DNS says decides whether mail goes, waits or comes back', () => {
  const NULL_MX = { records: [mx(0, '')] }
  const table: [string, Record<string, Script>, string][] = [
    ['an MX with an address', { 'example.com MX': { records: [mx(1, 'a.example')] } }, 'sent'],
    ['no MX but an address', { 'example.com A': { records: [ip('192.0.2.1')] } }, 'sent'],
    ['no MX but an IPv6 address', { 'example.com AAAA': { records: [ip('2001:db8::1')] } }, 'sent'],
    [
      '"no such name" for MX only',
      { 'example.com MX': NXDOMAIN, 'example.com A': { records: [ip('192.0.2.1')] } },
      'sent',
    ],
    [
      'an alias',
      {
        'example.com MX': {
          records: [cname('x.example'), { ...mx(1, 'a.example'), name: 'x.example' }],
        },
      },
      'sent',
    ],
    [
      'an MX that is an alias',
      {
        'example.com MX': { records: [mx(1, 'x.example')] },
        'x.example A': { records: [cname('a.example')] },
      },
      'sent',
    ],
    [
      '1,000 MX',
      {
        'example.com MX': {
          records: Array.from({ length: 1_000 }, (_, at) => mx(at, 'a.example')),
          truncated: true,
        },
      },
      'sent',
    ],
    ['null MX', { 'example.com MX': NULL_MX }, '556 5.1.10'],
    [
      'null MX beside an address',
      { 'example.com MX': NULL_MX, 'example.com A': { records: [ip('192.0.2.1')] } },
      '556 5.1.10',
    ],
    [
      'null MX beside a real one',
      { 'example.com MX': { records: [mx(0, ''), mx(1, 'a.example')] } },
      'sent',
    ],
    [
      'no such name',
      { 'example.com MX': NXDOMAIN, 'example.com A': NXDOMAIN, 'example.com AAAA': NXDOMAIN },
      '550 5.1.2',
    ],
    ['nothing', {}, '550 5.1.2'],
    [
      'an MX without address',
      { 'example.com MX': { records: [mx(1, 'gone.example')] } },
      '550 5.4.4',
    ],
    [
      'an MX that is an address',
      { 'example.com MX': { records: [mx(1, '192.0.2.1')] } },
      '550 5.4.4',
    ],
    [
      'an MX that is no name',
      { 'example.com MX': { records: [mx(1, 'a b.example')] } },
      '550 5.4.4',
    ],
    [
      'SERVFAIL for MX',
      { 'example.com MX': SERVFAIL, 'example.com A': { records: [ip('192.0.2.1')] } },
      '451 4.4.3',
    ],
    ['silence', { 'example.com MX': { mute: true } }, '451 4.4.3'],
    ['rubbish', { 'example.com MX': { raw: () => [Buffer.from('rubbish')] } }, '451 4.4.3'],
    ['REFUSED', { 'example.com MX': { rcode: 5 } }, '451 4.4.3'],
    ['truncation without end', { 'example.com MX': { truncated: 'everywhere' } }, '451 4.4.3'],
    [
      'an alias that goes round',
      { 'example.com MX': { records: [cname('example.com')] } },
      '451 4.4.3',
    ],
    [
      'SERVFAIL for the address',
      {
        'example.com MX': { records: [mx(1, 'x.example')] },
        'x.example A': SERVFAIL,
        'x.example AAAA': SERVFAIL,
      },
      '451 4.4.3',
    ],
    [
      'SERVFAIL for one family, nothing for the other',
      { 'example.com MX': { records: [mx(1, 'x.example')] }, 'x.example AAAA': SERVFAIL },
      '451 4.4.3',
    ],
    [
      'SERVFAIL for one family, an address in the other',
      { 'example.com MX': { records: [mx(1, 'a.example')] }, 'a.example AAAA': SERVFAIL },
      'sent',
    ],
    [
      'one MX gone, one that cannot be told',
      {
        'example.com MX': { records: [mx(1, 'gone.example'), mx(2, 'x.example')] },
        'x.example A': SERVFAIL,
      },
      '451 4.4.3',
    ],
    [
      'the first MX gone, the next there',
      { 'example.com MX': { records: [mx(1, 'gone.example'), mx(2, 'a.example')] } },
      'sent',
    ],
    [
      'an MX with our name',
      {
        'example.com MX': {
          records: [mx(1, 'mx.here.example'), mx(1, 'a.example'), mx(2, 'b.example')],
        },
      },
      '554 5.4.6',
    ],
    [
      'an MX with our address',
      {
        'example.com MX': { records: [mx(1, 'x.example'), mx(2, 'a.example')] },
        'x.example A': { records: [ip(OUR_ADDRESS)] },
      },
      '554 5.4.6',
    ],
    ['no MX but our address', { 'example.com A': { records: [ip(OUR_ADDRESS)] } }, '554 5.4.6'],
  ]

  test.each(table)('%s', async (_, zone, expected) => {
    hosts()
    for (const [key, script] of Object.entries(zone)) stage.zone.set(key, script)
    if (expected === '451 4.4.3') patience = IMPATIENT_MS
    expect(codeOf(await deliver())).toBe(expected)
    expect(hops).toHaveLength(expected === 'sent' ? 1 : 0)
  })
})

describe('the servers of a domain', () => {
  beforeEach(() => hosts())

  test('are tried by preference until one can be used', async () => {
    stage.set(DOMAIN, 'MX', [mx(30, 'c.example'), mx(10, 'a.example'), mx(20, 'b.example')])
    answers.set('192.0.2.1', unusable()).set('192.0.2.2', unusable(554, '5.7.1'))
    expect(await deliver()).toEqual(TAKEN)
    expect(tried()).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3'])
    expect(hops[2]).toEqual({
      protocol: 'smtp',
      name: 'c.example',
      address: '192.0.2.3',
      port: 25,
      implicitTls: false,
      tls: { kind: 'may' },
      login: null,
    })
  })

  test('are not asked any more once one has spoken about the mail, even if it says "later"', async () => {
    stage.set(DOMAIN, 'MX', [mx(10, 'a.example'), mx(20, 'b.example')])
    const { why } = unusable(450, '4.2.0') as HopResult & { kind: 'unusable' }
    const outcome = { ...TAKEN, refusal: why }
    answers.set('192.0.2.1', { kind: 'answered', outcomes: [outcome, outcome] })
    expect(await deliver()).toEqual(outcome)
    expect(tried()).toEqual(['192.0.2.1'])
  })

  test('of one preference share the mail', async () => {
    stage.set(DOMAIN, 'MX', [mx(10, 'a.example'), mx(10, 'b.example')])
    const first = new Set<string | null>()
    for (let times = 0; times < 100; times++) {
      await deliver()
      first.add(tried()[0]!)
    }
    expect(first).toEqual(new Set(['192.0.2.1', '192.0.2.2']))
  })

  test('are reached by IPv6 and IPv4 by turns, by all of their addresses', async () => {
    const four = ['192.0.2.11', '192.0.2.12']
    const six = ['2001:db8::1', '2001:db8::2']
    stage.set('x.example', 'A', four.map(ip))
    stage.set('x.example', 'AAAA', six.map(ip))
    stage.set(DOMAIN, 'MX', [mx(1, 'x.example')])
    for (const address of [...four, ...six]) answers.set(address, unusable())
    expect(codeOf(await deliver())).toBe('451 4.4.1')
    const order = tried().map((address) => address!.includes(':'))
    expect(order).toEqual([true, false, true, false])
    expect(new Set(tried())).toEqual(new Set([...four, ...six]))
  })

  test('that are no better than we are get nothing from us, those that are better do', async () => {
    stage.set(DOMAIN, 'MX', [
      mx(10, 'a.example'),
      mx(20, 'mx.here.example'),
      mx(20, 'b.example'),
      mx(30, 'c.example'),
    ])
    answers.set('192.0.2.1', unusable())
    expect(codeOf(await deliver())).toBe('451 4.4.1')
    expect(tried()).toEqual(['192.0.2.1'])
  })

  test('are ten at most, and who finds none of them working may try again', async () => {
    const records = Array.from({ length: 50 }, (_, at) => mx(at, `gone${at}.example`))
    stage.set(DOMAIN, 'MX', { records, truncated: true })
    expect(codeOf(await deliver())).toBe('451 4.4.4')
    expect(stage.asked.filter((asked) => asked.startsWith('gone'))).toHaveLength(20)
  })

  test('are tried at twenty addresses at most', async () => {
    stage.set(
      DOMAIN,
      'MX',
      [...'abcdef'].map((letter, at) => mx(at, `${letter}.example`)),
    )
    for (const [host, letter] of [...'abcdef'].entries()) {
      const addresses = Array.from({ length: 9 }, (_, at) => `198.51.100.${host * 10 + at}`)
      stage.set(`${letter}.example`, 'A', addresses.map(ip))
      for (const address of addresses) answers.set(address, unusable(554, '5.7.1'))
    }
    expect(codeOf(await deliver())).toBe('451 4.4.1')
    expect(hops).toHaveLength(20)
  })
})

describe('when no server can be used', () => {
  beforeEach(() => {
    hosts()
    stage.set(DOMAIN, 'MX', [mx(1, 'a.example'), mx(2, 'b.example')])
  })

  test('mail waits if one of them may be of use later, and hears why', async () => {
    answers
      .set('192.0.2.1', unusable(451, '4.7.0', 'greylisted'))
      .set('192.0.2.2', unusable(554, '5.7.1'))
    const outcome = await deliver()
    expect(outcome).toMatchObject({ by: null, refusal: { code: 451, message: 'greylisted' } })
  })

  test('mail comes back if every one of them wants nothing from us', async () => {
    answers
      .set('192.0.2.1', unusable(554, '5.7.1', 'no'))
      .set('192.0.2.2', unusable(521, '5.3.2', 'never'))
    const outcome = await deliver()
    expect(outcome).toMatchObject({
      by: 'b.example [192.0.2.2]',
      refusal: { code: 521, message: 'never' },
    })
  })

  test('the next mail leaves it alone and takes the next server', async () => {
    answers.set('192.0.2.1', unusable())
    await deliver()
    expect(tried()).toEqual(['192.0.2.1', '192.0.2.2'])
    await deliver()
    expect(tried()).toEqual(['192.0.2.2'])
    expect(log.of('mx unusable')).toHaveLength(1)
  })

  test('mail that asks for other TLS tries it all the same', async () => {
    answers.set('192.0.2.1', unusable())
    await deliver()
    await deliver({ policy: 'encrypt' })
    expect(tried()).toEqual(['192.0.2.1', '192.0.2.2'])
  })

  test('a fault of ours is no fault of the mail', async () => {
    fault = new Error('a fault of ours')
    expect(codeOf(await deliver())).toBe('451 4.3.0')
    expect(log.of('mx delivery failed')).toHaveLength(1)
  })
})

describe('an address literal', () => {
  test.each([
    ['[192.0.2.1]', '192.0.2.1'],
    ['[ipv6:2001:db8::1]', '2001:db8::1'],
  ])('%s is where mail goes, and the DNS is not asked', async (domain, address) => {
    expect(codeOf(await deliver({ domain }))).toBe('sent')
    expect(hops).toMatchObject([{ name: address, address, tls: { kind: 'may' } }])
    expect(stage.asked).toEqual([])
  })

  test('of this server is a loop', async () => {
    expect(codeOf(await deliver({ domain: `[${OUR_ADDRESS}]` }))).toBe('554 5.4.6')
  })

  test('proves nothing to REQUIRETLS', async () => {
    expect(codeOf(await deliver({ domain: '[192.0.2.1]', requireTls: true }))).toBe('550 5.7.30')
  })
})

describe('TLS', () => {
  beforeEach(() => {
    hosts()
    stage.set(DOMAIN, 'MX', [mx(1, 'a.example')])
  })

  async function sts(mode: string, pattern: string): Promise<void> {
    stage.set(`_mta-sts.${DOMAIN}`, 'TXT', [txt('v=STSv1; id=1')])
    await store.put(DOMAIN, '1', `version: STSv1\nmode: ${mode}\nmx: ${pattern}\nmax_age: 9999\n`)
  }

  const demand = async (how: How = {}): Promise<unknown> => {
    const outcome = await deliver(how)
    return hops[0]?.tls ?? codeOf(outcome)
  }

  test('is what the administrator asks for', async () => {
    expect(await demand({ policy: 'auto' })).toEqual({ kind: 'may' })
    expect(await demand({ policy: 'may' })).toEqual({ kind: 'may' })
    expect(await demand({ policy: 'never' })).toEqual({ kind: 'never' })
    expect(await demand({ policy: 'encrypt' })).toEqual({ kind: 'encrypt' })
    expect(await demand({ policy: 'dane' })).toBe('451 4.7.5')
  })

  test('with a certificate must be for the domain: anybody can name any server in MX', async () => {
    const tls = { kind: 'verify', ca: null }
    expect(await demand({ policy: 'verify' })).toEqual({ ...tls, names: [DOMAIN] })
    stage.set('other.example', 'MX', [mx(1, 'in.other.example')])
    stage.set('in.other.example', 'A', [ip('192.0.2.7')])
    const names = ['in.other.example', 'other.example']
    expect(await demand({ policy: 'verify', domain: 'other.example' })).toEqual({ ...tls, names })
  })

  test('is as strong as MTA-STS asks for', async () => {
    await sts('enforce', 'a.example')
    const verified = { kind: 'verify', names: ['a.example'], ca: null }
    expect(await demand()).toEqual(verified)
    expect(await demand({ policy: 'encrypt' })).toEqual(verified)
    expect(await demand({ policy: 'may' })).toEqual({ kind: 'may' })
  })

  test('makes no server out of one that MTA-STS does not name', async () => {
    stage.set(DOMAIN, 'MX', [mx(1, 'a.example'), mx(2, 'b.example')])
    await sts('enforce', 'b.example')
    await deliver()
    expect(hops.map(({ name }) => name)).toEqual(['b.example'])
    await sts('enforce', 'other.example')
    expect(await demand()).toBe('451 4.7.5')
    expect(hops).toEqual([])
  })

  test('is not stronger while MTA-STS is tested, but it is told', async () => {
    await sts('testing', 'other.example')
    expect(await demand()).toEqual({ kind: 'may' })
    expect(log.of('mta-sts would refuse')).toEqual([{ domain: DOMAIN, host: 'a.example' }])
  })

  describe('with DANE', () => {
    const records = [{ usage: 3, selector: 1, matching: 1, data: DIGEST }]
    const used = { kind: 'dane', names: ['a.example', DOMAIN], records }
    const good = { records: [tlsa(3, 1, 1, DIGEST)], signed: true }

    beforeEach(() => {
      hosts(true)
      stage.set(DOMAIN, 'MX', { records: [mx(1, 'a.example')], signed: true })
      stage.set('_25._tcp.a.example', 'TLSA', good)
    })

    test.each<DestinationTls>(['auto', 'encrypt', 'dane'])(
      'is used where all is signed: %s',
      async (policy) => {
        expect(await demand({ policy })).toEqual(used)
      },
    )

    test('stands before MTA-STS', async () => {
      await sts('enforce', 'a.example')
      expect(await demand()).toEqual(used)
    })

    test.each<[string, string, Script]>([
      ['MX', 'example.com MX', { records: [mx(1, 'a.example')] }],
      ['the address', 'a.example A', { records: [ip('192.0.2.1')] }],
      ['TLSA', '_25._tcp.a.example TLSA', { records: [tlsa(3, 1, 1, DIGEST)] }],
    ])('is not used where %s is not signed', async (_, key, script) => {
      stage.zone.set(key, script)
      expect(await demand()).toEqual({ kind: 'may' })
    })

    test.each<[string, Script]>([
      ['SERVFAIL', SERVFAIL],
      ['silence', { mute: true }],
    ])('makes a server useless for now when TLSA is %s: it may be an attack', async (_, script) => {
      patience = HASTY_MS
      stage.set('_25._tcp.a.example', 'TLSA', script)
      expect(await demand()).toBe('451 4.7.5')
    })

    test('of records that nobody can check means TLS with whoever it is', async () => {
      const strange = [
        tlsa(0, 1, 1, DIGEST),
        tlsa(1, 1, 1, DIGEST),
        tlsa(3, 2, 1, DIGEST),
        tlsa(3, 1, 3, DIGEST),
        tlsa(3, 1, 2, DIGEST),
        tlsa(3, 1, 1, DIGEST.subarray(1)),
        tlsa(3, 1, 0, Buffer.alloc(0)),
      ]
      stage.set('_25._tcp.a.example', 'TLSA', { records: strange, signed: true })
      expect(await demand()).toEqual({ kind: 'encrypt' })
    })

    test('is looked for at what an alias stands for, then at the alias', async () => {
      const alias = {
        records: [cname('a.example'), { ...ip('192.0.2.1'), name: 'a.example' }],
        signed: true,
      }
      stage.set('x.example', 'A', alias)
      stage.set(DOMAIN, 'MX', { records: [mx(1, 'x.example')], signed: true })
      expect(await demand()).toEqual({ ...used, names: ['a.example', 'x.example', DOMAIN] })
      expect(hops[0]!.name).toBe('a.example')
    })

    test('is enough for REQUIRETLS', async () => {
      expect(await demand({ requireTls: true })).toEqual(used)
      expect(await demand({ requireTls: true, policy: 'may' })).toEqual(used)
    })
  })

  describe('that REQUIRETLS asks for', () => {
    test.each<DestinationTls>(['auto', 'may', 'encrypt', 'never'])(
      'cannot be had where nothing proves who the server is: %s',
      async (policy) => {
        expect(await demand({ requireTls: true, policy })).toBe('550 5.7.30')
      },
    )

    test('is had by MTA-STS, also while that is tested', async () => {
      await sts('testing', 'a.example')
      const verified = { kind: 'verify', names: ['a.example'], ca: null }
      expect(await demand({ requireTls: true })).toEqual(verified)
    })

    test('is had where the administrator demands a certificate', async () => {
      expect(await demand({ requireTls: true, policy: 'verify' })).toMatchObject({ kind: 'verify' })
    })

    test('may be had later when the policy cannot be had now', async () => {
      stage.set(`_mta-sts.${DOMAIN}`, 'TXT', SERVFAIL)
      expect(await demand({ requireTls: true })).toBe('451 4.7.5')
    })
  })
})
