/** MTA-STS: what a policy says, how it is fetched, and that nobody gets rid of one that was seen. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import { Dns } from '../../src/relay/dns.js'
import { MtaSts } from '../../src/relay/mta-sts.js'
import { allowsHost, parseStsPolicy, stsIdIn } from '../../src/relay/mta-sts-policy.js'
import { StsStore } from '../../src/relay/mta-sts-store.js'
import { keptLog } from '../helpers/kept-log.js'
import { DnsStage, ip, SERVFAIL, txt } from './dns-stage.js'

const POLICY =
  'version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmx: *.example.net\r\nmax_age: 86400\r\n'
const READ = { mode: 'enforce', maxAge: 86_400, patterns: ['mx.example.com', '*.example.net'] }
const NAME = 'mta-sts.example.com'

describe('a policy', () => {
  test('is read with either line end, in any order, with fields that nobody knows', () => {
    expect(parseStsPolicy(POLICY)).toEqual(READ)
    const other =
      'x-more: 1\nmax_age:86400 \nmx:MX.example.com\nnonsense\nmx: *.example.net\nmode:enforce\nversion:STSv1'
    expect(parseStsPolicy(other)).toEqual(READ)
  })

  test('holds a year at most', () => {
    const text = POLICY.replace('86400', '9999999999')
    expect(parseStsPolicy(text)).toMatchObject({ maxAge: 31_557_600 })
  })

  test('needs no servers if it is none', () => {
    const text = 'version: STSv1\nmode: none\nmax_age: 60\n'
    expect(parseStsPolicy(text)).toEqual({ mode: 'none', maxAge: 60, patterns: [] })
  })

  test.each([
    '',
    '<html>',
    POLICY.replace('STSv1', 'STSv2'),
    POLICY.replace('enforce', 'enforced'),
    POLICY.replace('86400', '-1'),
    POLICY.replace('86400', '1e5'),
    POLICY.replace('86400', '12345678901'),
    POLICY.replace(/mx: .*\r\n/g, ''),
    POLICY.replace('*.example.net', '*'),
    POLICY.replace('*.example.net', 'mx.*.net'),
    POLICY.replace('*.example.net', '*x.net'),
    POLICY.replace('*.example.net', 'a..b'),
    POLICY.replace('*.example.net', '192.0.2.1:25'),
    POLICY + 'mx: a.example\n'.repeat(1_000),
    POLICY + '\n'.repeat(2_000),
  ])('is not %j', (text) => {
    expect(parseStsPolicy(text)).toBeNull()
  })

  test('of any text is one or none, and what is one has fields in their limits', () => {
    const line = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.constantFrom('version: STSv1', 'mode: testing', 'max_age: 7', 'mx: *.a.example', 'mx: b'),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const policy = parseStsPolicy(lines.join('\n'))
        if (policy === null) return
        expect(policy.maxAge).toBeLessThanOrEqual(31_557_600)
        for (const pattern of policy.patterns) expect(pattern).toMatch(/^(\*\.)?[a-z0-9.-]+$/)
      }),
      { numRuns: 1_000 },
    )
  })

  test('allows its servers, with a star for exactly one label', () => {
    const allowed = (host: string): boolean => allowsHost({ ...READ, mode: 'enforce' }, host)
    expect(['mx.example.com', 'a.example.net'].map(allowed)).toEqual([true, true])
    const not = [
      'example.com',
      'a.mx.example.com',
      'example.net',
      'a.b.example.net',
      '*',
      '.example.net',
    ]
    expect(not.map(allowed)).toEqual(not.map(() => false))
  })
})

describe('the record', () => {
  test.each([
    [['v=STSv1; id=20260101T000000;'], '20260101T000000'],
    [['other', 'v=STSv1;id=a'], 'a'],
    [['v=STSv1; x=1; id=b ; y=2'], 'b'],
    [[], null],
    [['v=STSv1'], null],
    [['v=STSv1;'], null],
    [['v=STSv10; id=a'], null],
    [['v=STSv1; id=a-b'], null],
    [['v=STSv1; id=a; id=b'], null],
    [[`v=STSv1; id=${'x'.repeat(33)}`], null],
    [['v=STSv1; id=a', 'v=STSv1; id=b'], null],
  ])('%j announces %j', (texts, id) => {
    expect(stsIdIn(texts)).toBe(id)
  })
})

let pem: string
let web: Server
let answer: (response: ServerResponse) => void
let requests: string[]
let stage: DnsStage
let folder: string
/** For an answer of the DNS. */
let patience: number
const log = keptLog()

const good = (text: string) => (response: ServerResponse) =>
  void response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text)

beforeAll(async () => {
  pem = await makeSelfSigned(NAME)
  web = createServer({ key: pem, cert: pem }, (request, response) => {
    requests.push(`${request.method} ${request.headers.host} ${request.url}`)
    answer(response)
  }).listen(0, '127.0.0.1')
  await once(web, 'listening')
})
afterAll(() => web.close())

beforeEach(async () => {
  requests = []
  patience = 10_000
  answer = good(POLICY)
  stage = await DnsStage.start()
  announce('1')
  stage.set(NAME, 'A', [ip('127.0.0.1')])
  folder = await mkdtemp(join(tmpdir(), 'mailtap-sts-'))
})
afterEach(async () => {
  stage.stop()
  await rm(folder, { recursive: true, force: true })
})

function announce(id: string): void {
  stage.set('_mta-sts.example.com', 'TXT', [txt(`v=STSv1; id=${id};`)])
}

/** As after a restart: knows nothing but what is on the disk. */
function started(ca = pem): MtaSts {
  const servers = [{ address: '127.0.0.1', port: stage.port }]
  const dns = new Dns({ servers: async () => servers, log, patienceMs: patience })
  const store = new StsStore(join(folder, 'mta-sts'))
  const { port } = web.address() as AddressInfo
  return new MtaSts({ dns, store, log, ca, port })
}

const NONE = { policy: null, certain: true }
const UNKNOWN = { policy: null, certain: false }
const FOUND = { policy: READ, certain: true }

describe('the policy of a domain', () => {
  test('is fetched once, and known after a restart', async () => {
    const sts = started()
    expect(await Promise.all([sts.find('example.com'), sts.find('example.com')])).toEqual([
      FOUND,
      FOUND,
    ])
    expect(await sts.find('example.com')).toEqual(FOUND)
    expect(await started().find('example.com')).toEqual(FOUND)
    expect(requests).toEqual([`GET ${NAME} /.well-known/mta-sts.txt`])
    const path = join(folder, 'mta-sts', 'example.com')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'mta-sts'))).mode & 0o777).toBe(0o700)
    expect(await readdir(join(folder, 'mta-sts'))).toEqual(['example.com'])
  })

  test('is none where none is announced, and then no web server is asked', async () => {
    expect(await started().find('other.example')).toEqual(NONE)
    expect(requests).toEqual([])
  })

  test('may be there all the same when the DNS cannot tell', async () => {
    stage.set('_mta-sts.example.com', 'TXT', SERVFAIL)
    expect(await started().find('example.com')).toEqual(UNKNOWN)
  })

  test('that is new takes the place of the old one', async () => {
    await started().find('example.com')
    announce('2')
    answer = good(POLICY.replace('enforce', 'none'))
    expect(await started().find('example.com')).toMatchObject({ policy: { mode: 'none' } })
    expect(await started().find('example.com')).toMatchObject({ policy: { mode: 'none' } })
    expect(requests).toHaveLength(2)
  })

  test.each<[string, () => void]>([
    ['the record is gone', () => stage.zone.clear()],
    [
      'the DNS is silent',
      () => {
        patience = 250
        stage.set('_mta-sts.example.com', 'TXT', { mute: true })
      },
    ],
    [
      'a new one cannot be had',
      () => {
        announce('2')
        answer = (response) => void response.writeHead(404).end()
      },
    ],
  ])('that was seen holds though %s', async (_, happen) => {
    await started().find('example.com')
    happen()
    expect(await started().find('example.com')).toEqual(FOUND)
  })

  test('that has expired holds no longer', async () => {
    await started().find('example.com')
    const path = join(folder, 'mta-sts', 'example.com')
    const text = await readFile(path, 'latin1')
    await writeFile(path, text.replace(/^(mta-sts 1 1) \d+/, `$1 ${Date.now() - 86_401_000}`))
    stage.zone.clear()
    expect(await started().find('example.com')).toEqual(NONE)
  })

  test('that is broken on the disk is fetched again', async () => {
    await started().find('example.com')
    const path = join(folder, 'mta-sts', 'example.com')
    for (const text of ['', 'rubbish', 'mta-sts 1 1 5\nmode: enforce', 'mta-sts 2 1 1\n']) {
      await writeFile(path, text)
      expect(await started().find('example.com')).toEqual(FOUND)
    }
    expect(requests).toHaveLength(5)
  })

  test('is refreshed before it ends, while mail goes on by the one we have', async () => {
    await started().find('example.com')
    const path = join(folder, 'mta-sts', 'example.com')
    const old = (await readFile(path, 'latin1')).replace(
      /^(mta-sts 1 1) \d+/,
      `$1 ${Date.now() - 80_000_000}`,
    )
    await writeFile(path, old)
    expect(await started().find('example.com')).toEqual(FOUND)
    await expect.poll(() => readFile(path, 'latin1')).not.toBe(old)
    expect(requests).toHaveLength(2)
  })
})

describe('a web server', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['redirects', (to) => void to.writeHead(301, { Location: `https://${NAME}/other` }).end()],
    ['says 404', (to) => void to.writeHead(404, { 'Content-Type': 'text/plain' }).end(POLICY)],
    ['sends HTML', (to) => void to.writeHead(200, { 'Content-Type': 'text/html' }).end(POLICY)],
    ['sends no policy', good('hello')],
    ['sends too much', good(POLICY + 'x'.repeat(70_000))],
    ['hangs up', (to) => void to.destroy()],
    [
      'hangs up halfway',
      (to) => to.writeHead(200, { 'Content-Length': 99_999 }).write('x', () => to.destroy()),
    ],
  ])('that %s has no policy, and is not asked again at once', async (_, how) => {
    answer = how
    const sts = started()
    expect(await sts.find('example.com')).toEqual(UNKNOWN)
    expect(await sts.find('example.com')).toEqual(UNKNOWN)
    expect(requests).toHaveLength(1)
    expect(log.of('mta-sts policy not fetched')).not.toEqual([])
  })

  test('that nobody vouches for is not even asked', async () => {
    const other = await makeSelfSigned(NAME)
    expect(await started(other).find('example.com')).toEqual(UNKNOWN)
    expect(requests).toEqual([])
  })

  test('whose certificate is for another name is not even asked', async () => {
    stage.set('_mta-sts.other.example', 'TXT', [txt('v=STSv1; id=1;')])
    stage.set('mta-sts.other.example', 'A', [ip('127.0.0.1')])
    expect(await started().find('other.example')).toEqual(UNKNOWN)
    expect(requests).toEqual([])
  })
})
