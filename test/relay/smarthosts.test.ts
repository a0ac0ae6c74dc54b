import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { HopConnections } from '../../src/relay/hop-connections.js'
import { RoutingRelay } from '../../src/relay/routing-relay.js'
import type { RouteSettings } from '../../src/relay/routes.js'
import { keptLog } from '../helpers/kept-log.js'
import { MESSAGE, route, smarthosts, work } from './relay-stage.js'
import { startSmarthost } from './smarthost-server.js'

async function file(name: string, content: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mailtap-smarthost-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await writeFile(join(directory, name), content, { mode: 0o600 })
  return join(directory, name)
}

/** A port that nobody listens at. */
async function deadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function relayWith(...routes: RouteSettings[]) {
  const log = keptLog()
  const hops = new HopConnections({ hostname: 'mail.here.org', log })
  const mx = { deliver: () => Promise.reject(new Error('no MX here')) }
  const settings = { routes, tlsPolicies: [] }
  const relay = new RoutingRelay(settings, { hops, mx, isOurselves: () => false, log })
  onTestFinished(() => relay.close())
  return { relay, log }
}

test('a mail goes to the next smarthost when the first is dead, with TLS and a login', async () => {
  const server = await startSmarthost({ users: { joe: 'open sesame' } })
  const dead = await deadPort()
  const { relay, log } = relayWith(
    route('default', {
      via: smarthosts(`smtp://joe@127.0.0.1:${dead}`, `smtp://joe@127.0.0.1:${server.port}`),
      secret: { kind: 'password', file: await file('pw', 'open sesame\n') },
      tls: 'verify',
      ca: await file('ca.pem', server.pem),
    }),
  )
  for (const to of ['a@far.net', 'b@far.net']) {
    const [outcome] = await relay.deliver('smarthost:default', work(to), MESSAGE)
    expect([outcome!.refusal, outcome!.by]).toEqual([null, '127.0.0.1 [127.0.0.1]'])
  }
  expect(server.mails).toEqual([
    { user: 'joe', to: ['a@far.net'], secure: true, text: 'Subject: x\r\n\r\nbody\r\n' },
    { user: 'joe', to: ['b@far.net'], secure: true, text: 'Subject: x\r\n\r\nbody\r\n' },
  ])
  expect(log.of('relay server set aside')).toHaveLength(1)
  expect(JSON.stringify(log.events)).not.toContain('sesame')
})

test('a token that was renewed is used without a reload', async () => {
  const server = await startSmarthost({ users: { joe: 'token2' } })
  const token = await file('token', 'token1\n')
  const clock = { now: 0 }
  const hops = new HopConnections({ hostname: 'mail.here.org', log: keptLog() })
  const settings = {
    routes: [
      route('default', {
        via: smarthosts(`smtp://joe@127.0.0.1:${server.port}`),
        secret: { kind: 'token', file: token },
      }),
    ],
    tlsPolicies: [],
  }
  const relay = new RoutingRelay(settings, {
    hops,
    mx: { deliver: () => Promise.reject(new Error('no MX here')) },
    isOurselves: () => false,
    log: keptLog(),
    now: () => clock.now,
  })
  onTestFinished(() => relay.close())
  const send = () => relay.deliver('smarthost:default', work('a@far.net'), MESSAGE)
  expect((await send())[0]!.refusal?.temporary).toBe(true)
  await writeFile(token, 'token2\n')
  clock.now = 60_000
  expect((await send())[0]!.refusal).toBeNull()
  expect(server.mails.map(({ user }) => user)).toEqual(['joe'])
})

test('a smarthost whose certificate proves nothing gets neither the password nor the mail', async () => {
  const server = await startSmarthost({ users: { joe: 'open sesame' } })
  const { relay } = relayWith(
    route('default', {
      via: smarthosts(`smtp://joe@127.0.0.1:${server.port}`),
      secret: { kind: 'password', file: await file('pw', 'open sesame\n') },
      tls: 'verify',
    }),
  )
  const [outcome] = await relay.deliver('smarthost:default', work('a@far.net'), MESSAGE)
  expect(outcome!.refusal?.temporary).toBe(true)
  expect(outcome!.refusal?.message).toContain('certificate')
  expect(server.mails).toEqual([])
})
