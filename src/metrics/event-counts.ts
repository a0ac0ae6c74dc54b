/** Which event of the log counts as what. */
import type { Count, Level } from './counting-log.js'
import type { Counter, Family } from './metrics.js'
import { EXCESSES, REASONS } from './reasons.js'
import type { Registry } from './registry.js'

type Fields = Parameters<Count>[0]
type Counts = [event: string, count: Count][]

export interface EventCounts {
  readonly events: ReadonlyMap<string, Count>
  readonly levels: Readonly<Partial<Record<Level, () => void>>>
}

/** How a login can end; the first is the one that succeeded. */
const RESULTS = ['ok', 'refused', 'throttled', 'in_use', 'too_soon', 'unavailable'] as const
/** Names of the errors of cred/errors.ts. */
const FAILURES: Readonly<Record<string, string>> = {
  LoginRefused: 'refused',
  LoginThrottled: 'throttled',
  LoginInUse: 'in_use',
  LoginTooSoon: 'too_soon',
}
/** In the words of the log (queue/tell.ts). */
const STATUSES = ['sent', 'deferred', 'bounced', 'expired', 'dropped'] as const
/** Seconds: from at once to the days after which mail is given up. */
const DELAYS = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 172_800, 432_000]
const FILTERS = ['dnsbl', 'rspamd', 'milter', 'other'] as const
/** Events that tell by their number that somebody should look. */
const NOTED = [
  'aliases broken',
  'control failed',
  'file delivered',
  'limits cannot count',
  'limits not counted',
  'lmtp delivered',
  'lmtp failed',
  'mail discarded',
  'net accept failed',
  'net proxy not understood',
  'net session failed',
  'pop3 fault',
  'pop3 removal incomplete',
  'program delivered',
  'program failed',
  'queue cannot keep',
  'queue cannot write',
  'queue double bounce dropped',
  'queue file broken',
  'queue lease lost',
  'queue removed',
  'queue reported',
  'queue report failed',
  'quota warning',
  'recipient served in part',
  'relay broke off',
  'relay handed over',
  'relay login failed',
  'relay server set aside',
  'relay server unusable',
  'tls certificate not renewed',
  'tls certificate renewed',
] as const

/** @throws RangeError when the registry has metrics of these names already */
export function eventCounts(registry: Registry): EventCounts {
  const counts = [
    ...noted(registry),
    ...refusals(registry),
    ...logins(registry),
    ...accepted(registry),
    ...fetched(registry),
    ...queued(registry),
    ...filters(registry),
  ]
  return { events: new Map(counts), levels: levels(registry) }
}

function levels(registry: Registry): EventCounts['levels'] {
  const lines = registry.counter({
    name: 'mailtap_log_events_total',
    help: 'Events by level, whether written or not.',
    labels: { level: ['info', 'warn', 'error'] },
  })
  const at = (level: 'info' | 'warn' | 'error'): (() => void) => {
    const counter = lines.of({ level })
    return () => counter.add()
  }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

function noted(registry: Registry): Counts {
  const labels = { event: NOTED.map((event) => event.replaceAll(' ', '_')) }
  const family = registry.counter({
    name: 'mailtap_events_total',
    help: 'Events of the log that are worth a look, by name.',
    labels,
  })
  return NOTED.map((event, at) => {
    const counter = family.of({ event: labels.event[at]! })
    return [event, () => counter.add()]
  })
}

function refusals(registry: Registry): Counts {
  const family = registry.counter({
    name: 'mailtap_refusals_total',
    help: 'What was refused or held up, by reason: a limit has the name of its key in the config.',
    labels: { reason: REASONS },
  })
  const reasons = children(family, REASONS, (reason) => ({ reason }))
  const other = family.of({ reason: 'other' })
  const of = (name: Fields[string]): Counter => reasons.get(String(name)) ?? other
  const byReason: Count = ({ why }) => of(why).add()
  const byLimit: Count = ({ limit }) => of(limit).add()
  return [
    ['smtp refused', byReason],
    ['smtp not accepted', byReason],
    ['smtp command failed', () => of('local_error').add()],
    ['smtp limit', byLimit],
    ['pop3 limit', byLimit],
    ['login limit', byLimit],
    [
      'net too many connections',
      ({ why, refused }) => of(EXCESSES[String(why)]).add(Number(refused)),
    ],
  ]
}

function logins(registry: Registry): Counts {
  const family = registry.counter({
    name: 'mailtap_logins_total',
    help: 'Logins by how they ended.',
    labels: { protocol: ['smtp', 'pop3'], result: RESULTS },
  })
  return (['smtp', 'pop3'] as const).flatMap((protocol): Counts => {
    const results = children(family, RESULTS, (result) => ({ protocol, result }))
    const failed: Count = ({ why }) => results.get(FAILURES[String(why)] ?? 'unavailable')?.add()
    return [
      [`${protocol} login`, () => results.get('ok')?.add()],
      [`${protocol} login failed`, failed],
    ]
  })
}

function accepted(registry: Registry): Counts {
  const one = (name: string, help: string): Counter => registry.counter({ name, help }).of({})
  const messages = one(
    'mailtap_messages_accepted_total',
    'Messages that clients were told are taken.',
  )
  const recipients = one('mailtap_recipients_accepted_total', 'Recipients of these messages.')
  const bytes = one('mailtap_accepted_bytes_total', 'Octets of these messages on the wire.')
  const count: Count = ({ size, nrcpt }) => {
    messages.add()
    recipients.add(Number(nrcpt))
    bytes.add(Number(size))
  }
  return [['smtp accepted', count]]
}

function fetched(registry: Registry): Counts {
  const verbs = registry.counter({
    name: 'mailtap_pop3_messages_total',
    help: 'Messages that POP3 clients read, looked at and removed.',
    labels: { verb: ['retr', 'top', 'dele'] },
  })
  const [retr, top, dele] = (['retr', 'top', 'dele'] as const).map((verb) => verbs.of({ verb }))
  const octets = registry
    .counter({ name: 'mailtap_pop3_bytes_total', help: 'Octets of the messages that were read.' })
    .of({})
  const count: Count = (fields) => {
    retr!.add(Number(fields['retr']))
    top!.add(Number(fields['top']))
    dele!.add(Number(fields['dele']))
    octets.add(Number(fields['octets']))
  }
  return [['pop3 logout', count]]
}

function queued(registry: Registry): Counts {
  const added = registry
    .counter({ name: 'mailtap_queue_added_total', help: 'Messages that came into the queue.' })
    .of({})
  const family = registry.counter({
    name: 'mailtap_queue_deliveries_total',
    help: 'Tries to deliver from the queue, by how they ended.',
    labels: { status: STATUSES },
  })
  const statuses = children(family, STATUSES, (status) => ({ status }))
  const delays = registry
    .histogram({
      name: 'mailtap_queue_delay_seconds',
      help: 'How long recipients waited in the queue for a delivery that succeeded.',
      bounds: DELAYS,
    })
    .of({})
  const tried: Count = ({ status, delay }) => {
    statuses.get(String(status))?.add()
    if (status === 'sent') delays.observe(Number(delay))
  }
  return [
    ['queue active', () => added.add()],
    ['queue delivery', tried],
  ]
}

function filters(registry: Registry): Counts {
  const family = registry.counter({
    name: 'mailtap_filter_failures_total',
    help: 'Filters that could not tell.',
    labels: { filter: FILTERS },
  })
  const known = children(family, FILTERS, (filter) => ({ filter }))
  // A milter's name goes on with its place.
  const of = (name: string): Counter =>
    known.get(name.split(' ', 1)[0]!) ?? family.of({ filter: 'other' })
  return [
    ['filter failed', ({ filter }) => of(String(filter)).add()],
    ['dnsbl cannot tell', () => of('dnsbl').add()],
  ]
}

function children<Name extends string, L extends Record<string, readonly string[]>>(
  family: Family<Counter, L>,
  names: readonly Name[],
  values: (name: Name) => Parameters<Family<Counter, L>['of']>[0],
): ReadonlyMap<string, Counter> {
  return new Map(names.map((name) => [name, family.of(values(name))]))
}
