/** `mailtap relay`: the way of mail to other domains, tried without a mail. */
import type { Config } from '../src/config/config.js'
import type { RouteConfig } from '../src/config/relay-config.js'
import { type Address, formatAddress, parseAddress } from '../src/mail/address.js'
import { Refusal } from '../src/mail/refusal.js'
import { formatSmarthost, type Smarthost } from '../src/mail/smarthost.js'
import { leadsHere } from '../src/net/ourselves.js'
import { OwnServers } from '../src/relay/own-servers.js'
import type { Patience } from '../src/relay/patience.js'
import { probeHop } from '../src/relay/probe.js'
import { RouteFiles } from '../src/relay/route-files.js'
import { Routes } from '../src/relay/routes.js'
import { hopOf } from '../src/relay/smarthost-hop.js'
import { takenAt } from './check-relay.js'
import { CONFIG, type Given, JSON_OUTPUT, type Noun } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { asJson, sayServer, type Tried } from './relay-report.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

export const relay: Noun = {
  name: 'relay',
  summary: 'the way of mail to other domains',
  commands: [
    {
      name: 'test',
      summary: 'connect to the smarthosts, with TLS and login as for mail, and tell what was seen',
      options: [
        CONFIG,
        { flags: '--to <address>', help: 'those of mail to this address only' },
        { flags: '--from <address>', help: 'the sender of that mail' },
        { flags: '--user <address>', help: 'who logged in to send it (default: the sender)' },
        JSON_OUTPUT,
      ],
      run: tryAll,
    },
  ],
}

/** Milliseconds: somebody waits for it. */
const PATIENCE: Partial<Patience> = {
  connect: 15_000,
  greeting: 30_000,
  command: 30_000,
  handshake: 15_000,
}

/** What is tried, and the way that the mail in question goes; `null` = all smarthosts. */
interface Chosen {
  readonly lane: string | null
  readonly routes: readonly RouteConfig[]
}

async function tryAll(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const { lane, routes } = chosen(given, config)
  const json = given.has('json')
  if (!json) sayWay(lane, routes)
  const tried: Tried[] = []
  for (const [route, smarthost] of routes.flatMap(servers)) {
    const one = await tryOne(config, route, smarthost)
    if (!json) sayServer(one)
    tried.push(one)
  }
  if (json) sayJson({ lane, servers: tried.map(asJson) })
  const failed = tried.filter(({ report }) => report instanceof Refusal || report.failed !== null)
  if (failed.length > 0) throw failureOf(failed, tried.length)
}

/** @throws Failure */
function chosen(given: Given, { relay: settings }: Config): Chosen {
  if (settings.routes.length === 0) {
    const what = '[relay] is not set, so no mail goes to other domains; write via = ["…"] into it'
    throw new Failure(Exit.badConfig, what)
  }
  const to = addressOf(given, 'to')
  const from = addressOf(given, 'from')
  const user = addressOf(given, 'user') ?? from
  if (to === null) {
    if (user === null) return { lane: null, routes: settings.routes }
    throw usage('give --to ADDRESS as well: the way depends on where the mail goes')
  }
  const all = new Routes(settings)
  const lane = all.laneOf({ from, user: user === null ? null : formatAddress(user), to })
  const name = all.find(lane)?.route.name
  return { lane, routes: settings.routes.filter((each) => each.name === name) }
}

/** @throws Failure */
function addressOf(given: Given, option: string): Address | null {
  const said = given.last(option)
  const address = said === null ? null : parseAddress(said)
  if (said === null || address !== null) return address
  throw usage(`--${option} ${said}: no address; write name@domain`)
}

function sayWay(lane: string | null, routes: readonly RouteConfig[]): void {
  if (lane !== null) say(`this mail goes by the route ${routes[0]!.name}`)
  for (const { name } of routes.filter(({ via }) => via === 'mx'))
    say(`route ${name}: mx, to the servers of each domain; there is no smarthost to try`)
}

function servers(route: RouteConfig): [RouteConfig, Smarthost][] {
  return route.via === 'mx' ? [] : route.via.map((smarthost) => [route, smarthost])
}

async function tryOne(config: Config, route: RouteConfig, smarthost: Smarthost): Promise<Tried> {
  const now = () => performance.now()
  const own = new OwnServers((address, port) => leadsHere(takenAt(config), address, port), now)
  const about = { route: route.name, url: formatSmarthost(smarthost), user: smarthost.user }
  if (await own.has(smarthost.host, smarthost.port)) return { ...about, report: loop() }
  const hop = await hopOf(route, smarthost, false, new RouteFiles(now))
  return { ...about, report: await probeHop(hop, config.hostname, PATIENCE) }
}

const loop = (): Refusal =>
  new Refusal(554, '5.4.6', 'this is this server itself, mail would come back; name another one')

/** A login that is refused is somebody's to correct; the rest may pass. */
function failureOf(failed: readonly Tried[], all: number): Failure {
  const stages = failed.map(({ report }) => (report instanceof Refusal ? '' : report.failed?.stage))
  const code = stages.every((stage) => stage === 'login') ? Exit.noPermission : Exit.unavailable
  return new Failure(
    code,
    `${failed.length} of ${all} smarthosts cannot be used as they are set up`,
  )
}
