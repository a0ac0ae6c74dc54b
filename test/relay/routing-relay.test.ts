import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RoutingRelay } from '../../src/relay/routing-relay.js'
import type { RelaySettings, RouteSettings } from '../../src/relay/routes.js'
import { keptLog } from '../helpers/kept-log.js'
import { MESSAGE, route, ScriptedHops, smarthosts, TAKEN, unusable, work } from './relay-stage.js'

const LANE = 'smarthost:default'
const THREE = smarthosts('smtp://192.0.2.1', 'smtp://192.0.2.2', 'smtps://192.0.2.3')

const settings = (...routes: RouteSettings[]): RelaySettings => ({ routes, tlsPolicies: [] })

function stage(said: RelaySettings) {
  const hops = new ScriptedHops()
  const log = keptLog()
  const clock = { now: 0 }
  const domains: unknown[] = []
  const relay = new RoutingRelay(said, {
    hops,
    log,
    mx: {
      deliver: async (domain, { recipients }, _message, tls) => {
        domains.push([domain, tls])
        return recipients.map(() => TAKEN)
      },
    },
    isOurselves: (address, port) => address === '127.0.0.1' && port === 2525,
    now: () => clock.now,
  })
  const send = async (lane = LANE, ...to: string[]) =>
    relay.deliver(lane, work(...(to.length === 0 ? ['a@far.net'] : to)), MESSAGE)
  return { hops, log, clock, domains, relay, send }
}

describe('the smarthosts of a route', () => {
  test('are tried in their order until one speaks about the mail', async () => {
    const { hops, send } = stage(settings(route('default', { via: THREE })))
    hops.answers.set('192.0.2.1', unusable())
    expect(await send()).toEqual([TAKEN])
    expect(hops.names()).toEqual(['192.0.2.1', '192.0.2.2'])
  })

  test('are passed over for a while when they were of no use, and then tried again', async () => {
    const { hops, clock, log, send } = stage(settings(route('default', { via: THREE })))
    hops.answers.set('192.0.2.1', unusable())
    await send()
    hops.names()
    clock.now = 59_999
    await send()
    expect(hops.names()).toEqual(['192.0.2.2'])
    clock.now = 60_000
    await send()
    expect(hops.names()).toEqual(['192.0.2.1', '192.0.2.2'])
    // It failed twice: two minutes.
    clock.now = 179_999
    await send()
    expect(hops.names()).toEqual(['192.0.2.2'])
    clock.now = 180_000
    hops.answers.delete('192.0.2.1')
    await send()
    await send()
    expect(hops.names()).toEqual(['192.0.2.1', '192.0.2.1'])
    expect(log.of('relay server set aside')).toHaveLength(2)
    expect(log.of('relay server works again')).toEqual([
      { route: 'default', server: 'smtp://192.0.2.1:25' },
    ])
  })

  test('one mail alone finds out whether a dead one has come back', async () => {
    const { hops, clock, send } = stage(settings(route('default', { via: THREE.slice(0, 2) })))
    hops.answers.set('192.0.2.1', unusable())
    await send()
    clock.now = 60_000
    hops.names()
    let open = (): void => {}
    hops.gate = new Promise((resolve) => (open = resolve))
    const both = [send(), send()]
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    open()
    await Promise.all(both)
    expect(hops.names().toSorted()).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.2'])
  })

  test('that are all of no use are no reason to give up, whatever they say', async () => {
    const { hops, send } = stage(settings(route('default', { via: THREE })))
    hops.answers.set('192.0.2.1', unusable())
    hops.answers.set('192.0.2.2', unusable())
    hops.answers.set('192.0.2.3', unusable(535, '5.7.8', 'login refused'))
    const outcomes = await send(LANE, 'a@far.net', 'b@far.net')
    expect(outcomes).toHaveLength(2)
    for (const { refusal } of outcomes) {
      expect([refusal?.code, refusal?.status, refusal?.message]).toEqual([
        451,
        '4.7.8',
        'login refused',
      ])
    }
    // They are all down now, and all the same nobody says that without looking.
    await send()
    expect(hops.names()).toHaveLength(6)
  })

  test('ask for TLS with a right certificate where there is a login, and for REQUIRETLS', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mailtap-relay-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    const file = join(directory, 'pw')
    await writeFile(file, 'open sesame\n', { mode: 0o600 })
    const tlsOf = async (url: string, over: Partial<RouteSettings> = {}, requireTls = false) => {
      const secret = { kind: 'password', file } as const
      const via = smarthosts(url)
      const { hops, relay } = stage(settings(route('default', { via, secret, ...over })))
      await relay.deliver(LANE, { ...work('a@far.net'), requireTls }, MESSAGE)
      const { tls, login } = hops.asked[0]!
      return [tls.kind, login?.kind ?? null]
    }
    expect(await tlsOf('smtp://joe@192.0.2.1')).toEqual(['verify', 'password'])
    expect(await tlsOf('smtps://192.0.2.1')).toEqual(['verify', null])
    expect(await tlsOf('smtp://192.0.2.1')).toEqual(['may', null])
    expect(await tlsOf('smtp://joe@127.0.0.1:25')).toEqual(['may', 'password'])
    expect(await tlsOf('smtps://joe@[::1]')).toEqual(['encrypt', 'password'])
    expect(await tlsOf('smtp://joe@192.0.2.1', { tls: 'encrypt' })).toEqual(['encrypt', 'password'])
    expect(await tlsOf('smtp://192.0.2.1', { tls: 'never' })).toEqual(['never', null])
    expect(await tlsOf('smtp://192.0.2.1', { tls: 'never' }, true)).toEqual(['verify', null])
    const token = { kind: 'token', file } as const
    expect(await tlsOf('smtp://joe@192.0.2.1', { secret: token })).toEqual(['verify', 'token'])
  })

  test('whose password cannot be read get no mail, and it waits', async () => {
    const secret = { kind: 'password', file: '/nowhere/pw' } as const
    const via = smarthosts('smtp://joe@192.0.2.1')
    const { hops, log, send } = stage(settings(route('default', { via, secret })))
    const [outcome] = await send()
    expect([outcome!.refusal?.code, outcome!.refusal?.status]).toEqual([451, '4.3.5'])
    expect(hops.asked).toEqual([])
    expect(JSON.stringify(log.events)).toContain('/nowhere/pw cannot be read')
  })

  test('that are this server itself get none: another one does, or it is a loop', async () => {
    const [own, other] = [smarthosts('smtp://127.0.0.1:2525'), smarthosts('smtp://192.0.2.1')]
    const { hops, log, send, relay } = stage(settings(route('default', { via: own })))
    const [outcome] = await send()
    expect([outcome!.refusal?.code, outcome!.refusal?.status]).toEqual([554, '5.4.6'])
    expect(hops.asked).toEqual([])
    expect(log.of('relay server is this one')).toHaveLength(1)
    relay.reconfigure(settings(route('default', { via: [...own, ...other] })))
    expect(await send()).toEqual([TAKEN])
    hops.answers.set('192.0.2.1', unusable(535, '5.7.8', 'login refused'))
    expect((await send())[0]!.refusal?.temporary).toBe(true)
  })
})

describe('mail by MX', () => {
  test('is handed on by domain, with what is asked of TLS there', async () => {
    const { domains, send } = stage({
      routes: [route('default')],
      tlsPolicies: [{ domain: 'far.net', tls: 'encrypt' }],
    })
    expect(await send('mx:default:far.net', 'a@far.net', 'b@far.net')).toEqual([TAKEN, TAKEN])
    await send('mx:default:near.net', 'a@near.net')
    expect(domains).toEqual([
      ['far.net', 'encrypt'],
      ['near.net', 'auto'],
    ])
  })
})

describe('a reload', () => {
  test('keeps mail that goes another way now from the credentials of the old one', async () => {
    const { hops, relay, send } = stage(settings(route('default', { via: THREE })))
    const match = { senderDomains: [], recipientDomains: ['far.net'], users: [] }
    relay.reconfigure(settings(route('far', { match }), route('default', { via: THREE })))
    const [far, near] = await send(LANE, 'a@far.net', 'a@near.net')
    expect([far!.refusal?.code, far!.refusal?.status]).toEqual([451, '4.4.4'])
    expect(near).toEqual(TAKEN)
    relay.reconfigure(settings())
    expect(relay.enabled).toBe(false)
    expect((await send())[0]!.refusal?.status).toBe('4.4.4')
    expect(hops.asked).toHaveLength(1)
  })
})

describe('a rate', () => {
  const capped = (count: number, concurrency = 20) =>
    settings(route('default', { via: THREE, concurrency, rate: { count, periodMs: 60_000 } }))

  test('lets no more be lent than may begin, so that nothing has to be sent back', async () => {
    const { hops, clock, relay, send } = stage(capped(3))
    expect([relay.concurrency(LANE), relay.pause(LANE)]).toEqual([3, 0])
    let open = (): void => {}
    hops.gate = new Promise((resolve) => (open = resolve))
    const under = [send(), send()]
    // Two run, one more may begin.
    expect(relay.concurrency(LANE)).toBe(3)
    open()
    await Promise.all(under)
    expect([relay.concurrency(LANE), relay.pause(LANE)]).toEqual([1, 0])
    await send()
    expect([relay.concurrency(LANE), relay.pause(LANE)]).toEqual([0, 60_000])
    clock.now = 60_000
    expect([relay.concurrency(LANE), relay.pause(LANE)]).toEqual([3, 0])
  })

  test('makes what comes above it wait, never bounce', async () => {
    const { hops, send } = stage(capped(1))
    expect(await send()).toEqual([TAKEN])
    const [outcome] = await send()
    expect([outcome!.refusal?.code, outcome!.refusal?.status]).toEqual([451, '4.7.0'])
    expect(hops.asked).toHaveLength(1)
  })

  test('is remembered over a reload', async () => {
    const { relay, send } = stage(capped(2))
    await send()
    relay.reconfigure(capped(2))
    expect(relay.concurrency(LANE)).toBe(1)
    relay.reconfigure(settings(route('default', { via: THREE })))
    expect(relay.concurrency(LANE)).toBe(20)
  })

  test('is no reason to run more at once than the route allows', () => {
    const { relay } = stage(capped(100, 2))
    expect(relay.concurrency(LANE)).toBe(2)
  })
})

test('a fault of ours is later for everybody, and is logged', async () => {
  const { hops, relay } = stage(settings(route('default')))
  void hops
  const broken = new RoutingRelay(settings(route('default')), {
    hops,
    log: keptLog(),
    mx: { deliver: () => Promise.reject(new Error('a fault')) },
    isOurselves: () => false,
  })
  const outcomes = await broken.deliver('mx:default:far.net', work('a@far.net'), MESSAGE)
  expect(outcomes[0]!.refusal?.temporary).toBe(true)
  expect(relay.concurrency('no such lane')).toBe(1)
})
