/** Mail that goes by MX from the queue of one server to another one of ours, with a name server of the test between them. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { byProtocol } from '../../src/config/protocols.js'
import { silent } from '../../src/log/log.js'
import { Dns } from '../../src/relay/dns.js'
import { HopConnections } from '../../src/relay/hop-connections.js'
import { MtaSts } from '../../src/relay/mta-sts.js'
import { StsStore } from '../../src/relay/mta-sts-store.js'
import { MxDelivery } from '../../src/relay/mx.js'
import { RoutingRelay } from '../../src/relay/routing-relay.js'
import { Server } from '../../src/server.js'
import { plant, temporaryDirectory } from '../helpers/domain-tree.js'
import { keptLog } from '../helpers/kept-log.js'
import { mailIn } from '../helpers/mail-world.js'
import { plainConfig } from '../helpers/plain-config.js'
import { DnsStage, ip, mx, SERVFAIL } from '../relay/dns-stage.js'
import { route } from '../relay/relay-stage.js'
import { PATIENCE, wayOut } from './smarthost-stage.js'

const FAR = 'far.example'
const TEXT = 'From: <alice@example.com>\nSubject: x\n\n.dot\nend\n'

async function farServer() {
  const tree = await plant({ domains: { [FAR]: { users: { bob: '!', postmaster: '!' } } } })
  const listen = byProtocol((protocol) => (protocol === 'smtp' ? ['127.0.0.1:0'] : []))
  const config = plainConfig(tree, FAR, { hostname: `mx.${FAR}`, listen })
  const server = new Server(config, silent)
  await server.start()
  onTestFinished(() => server.stop())
  return { port: server.addresses()[0]!.port!, mail: () => mailIn(tree, FAR, 'bob') }
}

/** The way out by MX, to servers that have that port. */
async function byMx(port: number) {
  const names = await DnsStage.start()
  onTestFinished(() => names.stop())
  const log = keptLog()
  const servers = async () => [{ address: '127.0.0.1', port: names.port }]
  const dns = new Dns({ servers, log, patienceMs: 10_000 })
  const hops = new HopConnections({ hostname: 'us.example', log })
  const store = new StsStore(join(await temporaryDirectory(), 'mta-sts'))
  const delivery = new MxDelivery({
    dns,
    sts: new MtaSts({ dns, store, log }),
    hand: (...work) => hops.hand(...work),
    ourselves: { isOurselves: () => false, isOurName: (name) => name === 'us.example' },
    log,
    port,
  })
  const way = { routes: [route('default', { via: 'mx' })], tlsPolicies: [] }
  const relay = new RoutingRelay(way, { hops, mx: delivery, isOurselves: () => false, log })
  return { names, way: await wayOut(relay, log) }
}

test('a mail arrives at the server that the DNS names, over TLS, though the first one is dead', async () => {
  const far = await farServer()
  const { names, way } = await byMx(far.port)
  names.set(FAR, 'MX', [mx(10, `dead.${FAR}`), mx(20, `mx.${FAR}`)])
  names.set(`dead.${FAR}`, 'A', [ip('127.0.0.9')])
  names.set(`mx.${FAR}`, 'A', [ip('127.0.0.1')])
  expect(await way.put([`bob@${FAR}`], TEXT)).toEqual([250])
  await way.emptied()
  const [mail = ''] = await far.mail()
  expect(mail).toMatch(/^Return-Path: <alice@example\.com>\n/)
  expect(mail).toMatch(/\nReceived: from us\.example .*with ESMTPS/s)
  expect(mail.endsWith(TEXT)).toBe(true)
})

test('a mail waits while the DNS fails, and comes back from a domain that takes none', async () => {
  const far = await farServer()
  const { names, way } = await byMx(far.port)
  names.set(FAR, 'MX', SERVFAIL)
  names.set('none.example', 'MX', [mx(0, '')])
  await way.put([`bob@${FAR}`, 'joe@none.example'], TEXT)
  await expect.poll(() => way.tries().length, PATIENCE).toBeGreaterThanOrEqual(3)
  names.set(FAR, 'MX', [mx(10, `mx.${FAR}`)])
  names.set(`mx.${FAR}`, 'A', [ip('127.0.0.1')])
  await way.emptied()
  expect(await far.mail()).toHaveLength(1)
  const reports = await way.mailbox('alice')
  expect(reports).toHaveLength(1)
  expect(reports[0]).toContain('Final-Recipient: rfc822; joe@none.example\n')
  expect(reports[0]).toContain('Status: 5.1.10\n')
})
