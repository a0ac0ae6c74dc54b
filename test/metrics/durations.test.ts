import { describe, expect, it } from 'vitest'
import { silent } from '../../src/log/log.js'
import { exposition } from '../../src/metrics/exposition.js'
import { MailMetrics } from '../../src/metrics/mail-metrics.js'
import { Registry } from '../../src/metrics/registry.js'
import { pop3Sessions } from '../../src/pop3/server.js'
import { MemoryUsers } from '../helpers/memory-portal.js'
import { valueOf } from '../helpers/prometheus-text.js'

describe('sessions', () => {
  it('are summed over the listeners of one kind', async () => {
    const metrics = new MailMetrics(new Registry())
    const listeners = [1, 2].map((sessions) => ({ protocol: 'pop3', sessions }) as const)
    metrics.watchSessions(() => listeners)
    const page = async () => exposition(await metrics.registry.snapshot())
    expect(valueOf(await page(), 'mailtap_sessions', { protocol: 'pop3' })).toBe(3)
    listeners.length = 0
    expect(valueOf(await page(), 'mailtap_sessions', { protocol: 'pop3' })).toBe(0)
  })
})

describe('durations', () => {
  it('of logins are seen, of those that succeed and of those that fail', async () => {
    const metrics = new MailMetrics(new Registry())
    const users = new MemoryUsers()
    users.add('alice', 'secret')
    const sessions = pop3Sessions({
      portal: users.portal(),
      hostname: 'localhost',
      tlsAvailable: () => false,
      apopOffered: () => false,
      scramOffered: () => false,
      log: metrics.counting(silent),
      metrics: metrics.port('pop3'),
    })
    for (const password of ['secret', 'wrong']) {
      const peer = { address: '127.0.0.1', port: 1, protocol: 'pop3', secure: false }
      const session = sessions(peer)
      await session.greet()
      for (const line of ['USER alice', `PASS ${password}`])
        await session.command(Buffer.from(line))
      await session.closed()
    }
    const page = exposition(await metrics.registry.snapshot())
    expect(valueOf(page, 'mailtap_login_seconds_count', { protocol: 'pop3' })).toBe(2)
    const ended = (result: string) =>
      valueOf(page, 'mailtap_logins_total', { protocol: 'pop3', result })
    expect(['ok', 'refused', 'throttled'].map(ended)).toEqual([1, 1, 0])
  })
})
