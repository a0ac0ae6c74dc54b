/** Goes through the limits of the config one by one: each is reached in the parts that keep it, and has to be counted. */
import { describe, expect, it } from 'vitest'
import { CLIENT_LIMITS, type ClientLimits, limitsAsWritten } from '../../src/config/limits.js'
import { SMTP, smtpAsWritten } from '../../src/config/smtp-config.js'
import { LoginThrottled } from '../../src/cred/errors.js'
import { ConnectionCounts } from '../../src/limits/connections.js'
import { LoginThrottle } from '../../src/limits/logins.js'
import { MemoryLimiter } from '../../src/limits/memory.js'
import { silent } from '../../src/log/log.js'
import * as refusals from '../../src/mail/refusal.js'
import { exposition } from '../../src/metrics/exposition.js'
import { MailMetrics } from '../../src/metrics/mail-metrics.js'
import { FILTER_REASONS, LIMITS, REASONS, SMTP_LIMITS } from '../../src/metrics/reasons.js'
import { Registry } from '../../src/metrics/registry.js'
import { Networks } from '../../src/net/networks.js'
import { stage as listening } from '../helpers/listener-stage.js'
import { valueOf } from '../helpers/prometheus-text.js'
import { SmtpStage } from '../helpers/smtp-stage.js'

/** Keys that limit nothing: they say whom limits do not concern. */
const NO_LIMITS = ['trusted', 'xclient']
/** All that a config can limit, but for the one that is tried. */
const NONE: ClientLimits = {
  inAll: 0,
  perAddress: 0,
  perNetwork: 0,
  ratePerAddress: 0,
  ratePerNetwork: 0,
  failuresPerAddress: 0,
  failuresPerNetwork: 0,
  failuresPerUser: 0,
  trusted: new Networks([]),
}
const PEER = { address: '192.0.2.7', port: 4711, protocol: 'pop3', secure: true }

type Reached = (metrics: MailMetrics) => Promise<void>

/** A client too many, as a listener and a doorkeeper find out. */
function door(limit: Partial<ClientLimits>, maxConnections = 10): Reached {
  return async (metrics) => {
    const log = metrics.counting(silent)
    const limits = () => ({ ...NONE, ...limit })
    const doors = new ConnectionCounts({ limits, limiter: new MemoryLimiter(), log })
    const doorkeeper = { short: () => false, admit: () => doors.admit(PEER.address) }
    const options = { doorkeeper, log, maxConnections: () => maxConnections }
    const { client, listener } = await listening({
      ...options,
      accepted: metrics.port('smtp').connections,
    })
    await client()
    await client()
    // It is told once a second.
    await expect.poll(() => refused(metrics), { timeout: 20_000 }).not.toEqual([])
    expect(listener.sessions).toBeLessThan(2)
    const page = exposition(await metrics.registry.snapshot())
    expect(valueOf(page, 'mailtap_connections_total', { protocol: 'smtp' })).toBe(2)
  }
}

/** A login that failed, and the next. */
function login(limit: Partial<ClientLimits>, address: string): Reached {
  return async (metrics) => {
    const throttle = new LoginThrottle({
      limits: () => ({ ...NONE, ...limit }),
      limiter: new MemoryLimiter(),
      nameOf: (username) => username,
      log: metrics.counting(silent),
      sleep: async () => {},
    })
    const credentials = { kind: 'password', peer: PEER, username: 'alice', password: 'x' } as const
    await (await throttle.admit(credentials)).ended('refused')
    const again = throttle.admit({ ...credentials, peer: { ...PEER, address } })
    await again.catch((error: unknown) => expect(error).toBeInstanceOf(LoginThrottled))
  }
}

/** What a client says to a server with these settings. */
function smtp(directives: readonly string[], ...lines: readonly string[]): Reached {
  return async (metrics) => {
    const stage = new SmtpStage()
    for (const directive of directives) {
      const [, name = '', rest = ''] = /^(\S+) (.*)$/.exec(directive) ?? []
      stage.direct({ kind: 'directive', name, rest, block: Buffer.alloc(0) })
    }
    const session = stage.open()
    await session.greet()
    for (const line of ['EHLO client', ...lines]) await session.command(Buffer.from(line))
    const log = metrics.counting(silent)
    for (const { event, fields } of stage.events) log.debug(event, fields)
  }
}

const MAIL = 'MAIL FROM:<a@example.org>'
const USERS = ['user alice@example.com', 'user bob@example.com']

const WAYS: Readonly<Record<string, Reached>> = {
  message_size: smtp(['limit 100'], `${MAIL} SIZE=101`),
  connections: door({}, 1),
  connections_in_all: door({ inAll: 1 }),
  connections_per_address: door({ perAddress: 1 }),
  connections_per_network: door({ perNetwork: 1 }),
  connection_rate_per_address: door({ ratePerAddress: 1 }),
  connection_rate_per_network: door({ ratePerNetwork: 1 }),
  login_failures_per_address: login({ failuresPerAddress: 1 }, '192.0.2.7'),
  login_failures_per_network: login({ failuresPerNetwork: 1 }, '192.0.2.8'),
  login_failures_per_user: login({ failuresPerUser: 1 }, '198.51.100.1'),
  messages_per_connection: smtp(['limits {"messagesPerConnection":1}'], MAIL, 'RSET', MAIL),
  recipients_per_message: smtp(
    [...USERS, 'limits {"recipientsPerMessage":1}'],
    MAIL,
    'RCPT TO:<alice@example.com>',
    'RCPT TO:<bob@example.com>',
  ),
  errors: smtp(['limits {"errors":1}'], 'FOO'),
  junk_commands: smtp(['limits {"junkCommands":1}'], 'NOOP'),
  messages_per_minute: smtp(['allowance 0'], MAIL),
  recipients_per_minute: smtp([...USERS, 'allowance 1'], MAIL, 'RCPT TO:<alice@example.com>'),
}

/** The reasons for which something was refused, as Prometheus sees them. */
async function refused(metrics: MailMetrics): Promise<string[]> {
  const page = exposition(await metrics.registry.snapshot())
  return REASONS.filter((reason) => valueOf(page, 'mailtap_refusals_total', { reason }) !== 0)
}

function keysOf(written: object): string[] {
  return Object.keys(written).filter((key) => !NO_LIMITS.includes(key))
}

describe('each limit of the config', () => {
  const general = keysOf(
    limitsAsWritten({ messageSize: 1, connections: 1, clients: CLIENT_LIMITS }),
  )
  const ofSmtp = keysOf(smtpAsWritten(SMTP))

  it('is a reason by its key', () => {
    expect([...LIMITS].toSorted()).toEqual(general.toSorted())
    expect([...SMTP_LIMITS].toSorted()).toEqual(ofSmtp.toSorted())
    expect(Object.keys(WAYS).toSorted()).toEqual([...general, ...ofSmtp].toSorted())
  })

  it.each([...general, ...ofSmtp])(
    '%s is counted when it is reached, and no other',
    async (key) => {
      const metrics = new MailMetrics(new Registry())
      await WAYS[key]!(metrics)
      expect(await refused(metrics)).toEqual([key])
    },
  )
})

describe('each refusal of the mail path', () => {
  const made = Object.entries(refusals).flatMap(([name, make]) =>
    name === 'Refusal' ? [] : [[name, make as (...words: unknown[]) => refusals.Refusal] as const],
  )

  it.each(made)('%s has a reason of its own in the list', (_, make) => {
    const { why } = make('5.7.1', 'text')
    expect(REASONS).toContain(why)
    expect(why).not.toBe('other')
  })

  it('of a filter has the name of that filter', () => {
    const names = new Set(made.map(([, make]) => make('5.7.1', 'text').why))
    const ofPrograms = ['milter', 'rspamd']
    expect(FILTER_REASONS.filter((reason) => !names.has(reason))).toEqual(ofPrograms)
  })
})
