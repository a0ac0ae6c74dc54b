/**
 * A dry run of one mail: the server's own SMTP session is led through it, with
 * the server's own realm, directory and rules behind it. What would change
 * anything in the world is replaced by what only tells.
 */
import type { Config } from '../src/config/config.js'
import type { TargetCourier } from '../src/courier/courier.js'
import { RoutingCourier, type Couriers } from '../src/courier/routing.js'
import { Portal } from '../src/cred/portal.js'
import type { RemoteTarget } from '../src/directory/directory.js'
import { FilesDirectory } from '../src/directory/files.js'
import { FilterRehearsal } from '../src/filter/rehearsal.js'
import { groupsOf } from '../src/limits/connections.js'
import { MemoryLocks } from '../src/locks/memory.js'
import type { Log } from '../src/log/log.js'
import { formatAddress } from '../src/mail/address.js'
import type { Avatars } from '../src/mail/avatars.js'
import { relayMissing } from '../src/mail/refusal.js'
import { formatSmarthost } from '../src/mail/smarthost.js'
import type { Answer, Session } from '../src/net/session.js'
import { couriersOf, realmOf } from '../src/parts.js'
import { sessionsOf } from '../src/ports.js'
import { DirectQueue } from '../src/queue/direct.js'
import { Routes } from '../src/relay/routes.js'
import {
  BelievingChecker,
  TellingDirectory,
  TellingLimiter,
  tellingLog,
  TellingStore,
} from './explain-parts.js'
import type { Reply, Tell } from './explain-step.js'

/** Which mail. Addresses are as a client writes them between `<` and `>`. */
export interface Question {
  /** Empty for the null path. */
  readonly from: string
  readonly to: string
  /** An IP address. */
  readonly ip: string
  readonly helo: string
  /** The name that the client logs in with; `null` = it does not. */
  readonly user: string | null
  /** Octets; `null` = the client does not say. */
  readonly size: string | null
}

/** A message with nothing in it, ended at once. */
const NO_MESSAGE = Buffer.from('.\r\n')
// oxlint-disable-next-line no-control-regex -- all of ASCII
const ASCII = /^[\u0000-\u007f]*$/
const LINE = /^(\d{3})[ -](?:([245]\.\d{1,3}\.\d{1,3}) )?(.*)$/

/**
 * @param tell is told each step
 * @returns the reply that decides: the first that refuses, or the one that accepts the message
 */
export async function rehearse(config: Config, question: Question, tell: Tell): Promise<Reply> {
  const { ip, user } = question
  const port = user === null ? 'smtp' : 'submission'
  // Logins are taken over TLS; that it is there is taken for granted.
  const secure = user !== null
  tell({ step: 'client', ip, port, secure, endpoints: endpointsOf(config, port) })
  tell({ step: 'connections', limits: connectionLimits(config, ip) })
  const peer = { address: ip, port: 0, protocol: port, secure }
  const session = sessionsIn(config, tell)[port](peer)
  try {
    return await converse(session, question, tell)
  } finally {
    await session.closed()
  }
}

function endpointsOf({ listen }: Config, port: 'smtp' | 'submission'): readonly string[] {
  return port === 'smtp' ? listen.smtp : [...listen.submission, ...listen.submissions]
}

function connectionLimits({ limits }: Config, ip: string) {
  return groupsOf(ip, limits.clients).map(({ key, most, perMinute }) => {
    return { network: key, atOnce: most, perMinute }
  })
}

function sessionsIn(config: Config, tell: Tell) {
  const log = tellingLog(tell)
  const files = new FilesDirectory({ ...config, log })
  const directory = new TellingDirectory(files, tell)
  return sessionsOf({
    config: () => config,
    portal: portalOf(config, { files, directory, log }, tell),
    directory,
    tlsAvailable: () => true,
    limiter: new TellingLimiter(tell),
    temporaryDirectory: config.state,
    log,
  })
}

interface Known {
  readonly files: FilesDirectory
  readonly directory: TellingDirectory
  readonly log: Log
}

function portalOf(config: Config, known: Known, tell: Tell): Portal<Avatars> {
  const { files, directory, log } = known
  const store = new TellingStore(config, log, tell)
  const couriers = {
    ...idle(couriersOf({ config: () => config, store, log })),
    ...(config.relay.routes.length === 0 ? {} : { remote: tellingRelay(config, tell) }),
  }
  const realm = realmOf({
    config: () => config,
    directory,
    store,
    // At RCPT it was told already where the mail goes.
    queue: new DirectQueue(new RoutingCourier(files, couriers)),
    locks: new MemoryLocks(),
    relays: () => config.relay.routes.length > 0,
    filter: new FilterRehearsal(config.filter, { ...config, log }, (saying) =>
      tell({ step: 'filter', ...saying }),
    ),
  })
  const believing = new BelievingChecker(directory, config.submission.anySender, tell)
  return new Portal<Avatars>(realm, config.auth.length === 0 ? [] : [believing])
}

/** Couriers for the same kinds of places, who deliver nothing. */
function idle(couriers: Couriers): Couriers {
  const courier = {
    deliver: async (targets: readonly unknown[]): Promise<null[]> => targets.map(() => null),
  }
  return Object.fromEntries(Object.keys(couriers).map((kind) => [kind, courier]))
}

/** Tells which way mail to other domains would leave. */
function tellingRelay({ relay }: Config, tell: Tell): TargetCourier<RemoteTarget> {
  const routes = new Routes(relay)
  return {
    deliver: async (targets, { from, client }) =>
      targets.map(({ address }) => {
        const lane = routes.find(routes.laneOf({ from, user: client.user, to: address }))
        if (lane === null) return relayMissing()
        const { name: route, via } = lane.route
        const names = via === 'mx' ? ['mx'] : via.map(formatSmarthost)
        tell({ step: 'relay', to: formatAddress(address), route, via: names })
        return null
      }),
  }
}

async function converse(session: Session, question: Question, tell: Tell): Promise<Reply> {
  let reply = heard(await session.greet(), tell)
  for (const [line, shown] of commandsOf(question)) {
    if (reply.code >= 400) return reply
    tell({ step: 'command', line: shown ?? line })
    reply = heard(await session.command(Buffer.from(line)), tell)
  }
  if (session.raw === null) return reply
  tell({ step: 'command', line: '(the message)' })
  const { answer } = await session.raw.take(NO_MESSAGE)
  if (answer === null) throw new Error('the end of a message was not recognized')
  return heard(answer, tell)
}

/** Each with how it is shown, if that is another way. */
function commandsOf({ from, to, helo, user, size }: Question): [string, string?][] {
  const parameters = [
    ...(size === null ? [] : [`SIZE=${size}`]),
    ...(ASCII.test(from + to) ? [] : ['SMTPUTF8']),
  ]
  const login = Buffer.from(`\0${user}\0-`).toString('base64')
  return [
    [`EHLO ${helo}`],
    ...(user === null
      ? []
      : [[`AUTH PLAIN ${login}`, `AUTH PLAIN (as ${user})`] as [string, string]]),
    [[`MAIL FROM:<${from}>`, ...parameters].join(' ')],
    [`RCPT TO:<${to}>`],
    ['DATA'],
  ]
}

function heard({ head }: Answer, tell: Tell): Reply {
  const lines = head.toString('latin1').trimEnd().split('\r\n')
  const parts = lines.map((line) => LINE.exec(line))
  const [, code = '', status = null] = parts[0] ?? []
  const reply = { code: Number(code), status, lines: parts.map((part) => part?.[3] ?? '') }
  tell({ step: 'reply', ...reply })
  return reply
}
