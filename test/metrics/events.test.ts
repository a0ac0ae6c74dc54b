import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { silent } from '../../src/log/log.js'
import { eventCounts } from '../../src/metrics/event-counts.js'
import { exposition } from '../../src/metrics/exposition.js'
import { MailMetrics } from '../../src/metrics/mail-metrics.js'
import { Registry } from '../../src/metrics/registry.js'
import { keptLog } from '../helpers/kept-log.js'
import { valueOf } from '../helpers/prometheus-text.js'

const SOURCES = join(import.meta.dirname, '../../src')

function sources(): string {
  const paths = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  const ours = paths.filter((path) => path.endsWith('.ts') && !path.startsWith('metrics/'))
  return ours.map((path) => readFileSync(join(SOURCES, path), 'utf8')).join('\n')
}

async function pageAfter(...events: [event: string, fields?: Record<string, string | number>][]) {
  const metrics = new MailMetrics(new Registry())
  const log = metrics.counting(silent)
  for (const [event, fields] of events) log.info(event, fields)
  return exposition(await metrics.registry.snapshot())
}

describe('events of the log', () => {
  it('that are counted are told somewhere in the code', () => {
    const text = sources()
    const told = (event: string): boolean => text.includes(`'${event}'`)
    const counted = [...eventCounts(new Registry()).events.keys()]
    expect(counted.length).toBeGreaterThan(30)
    expect(counted.filter((event) => !told(event))).toEqual([])
  })

  it('go on to the log as they are', () => {
    const kept = keptLog()
    const log = new MailMetrics(new Registry()).counting(kept)
    log.warn('smtp refused', { why: 'loop' })
    log.debug('never heard of')
    expect(kept.events.map(({ event, fields }) => [event, fields])).toEqual([
      ['smtp refused', { why: 'loop' }],
      ['never heard of', {}],
    ])
  })

  it('of mail count messages, recipients and octets', async () => {
    const page = await pageAfter(
      ['smtp accepted', { id: 'x', nrcpt: 3, size: 700 }],
      ['smtp accepted', { id: 'y', nrcpt: 1, size: 300 }],
      ['pop3 logout', { retr: 2, top: 1, dele: 4, octets: 50 }],
    )
    expect(valueOf(page, 'mailtap_messages_accepted_total')).toBe(2)
    expect(valueOf(page, 'mailtap_recipients_accepted_total')).toBe(4)
    expect(valueOf(page, 'mailtap_accepted_bytes_total')).toBe(1_000)
    expect(valueOf(page, 'mailtap_pop3_messages_total', { verb: 'dele' })).toBe(4)
    expect(valueOf(page, 'mailtap_pop3_bytes_total')).toBe(50)
  })

  it('of logins count by how they ended; what is no error of a login is a fault of ours', async () => {
    const failed = 'pop3 login failed'
    const page = await pageAfter(
      ['pop3 login', {}],
      [failed, { why: 'LoginRefused' }],
      [failed, { why: 'LoginTooSoon' }],
      [failed, { why: 'fault' }],
      ['smtp login failed', {}],
    )
    const of = (protocol: string, result: string) =>
      valueOf(page, 'mailtap_logins_total', { protocol, result })
    expect(['ok', 'refused', 'too_soon', 'unavailable'].map((each) => of('pop3', each))).toEqual([
      1, 1, 1, 1,
    ])
    expect(of('smtp', 'unavailable')).toBe(1)
  })

  it('of the queue count tries by status, and how long those waited that came through', async () => {
    const page = await pageAfter(
      ['queue delivery', { status: 'deferred', delay: 3 }],
      ['queue delivery', { status: 'sent', delay: 70 }],
    )
    expect(valueOf(page, 'mailtap_queue_deliveries_total', { status: 'deferred' })).toBe(1)
    expect(valueOf(page, 'mailtap_queue_delay_seconds_bucket', { le: '60' })).toBe(0)
    expect(valueOf(page, 'mailtap_queue_delay_seconds_bucket', { le: '300' })).toBe(1)
  })

  it('put nothing into a label that is not in a list', async () => {
    const page = await pageAfter(
      ['smtp refused', { why: 'x"} 1\nforged 1' }],
      ['smtp refused', { why: '__proto__' }],
      ['net too many connections', { why: 'constructor', refused: 2 }],
      ['filter failed', { filter: 'milter /run/x' }],
      ['filter failed', { filter: 'elsewhere' }],
    )
    expect(page).not.toContain('forged')
    expect(valueOf(page, 'mailtap_refusals_total', { reason: 'other' })).toBe(4)
    expect(valueOf(page, 'mailtap_filter_failures_total', { filter: 'milter' })).toBe(1)
    expect(valueOf(page, 'mailtap_filter_failures_total', { filter: 'other' })).toBe(1)
  })
})
