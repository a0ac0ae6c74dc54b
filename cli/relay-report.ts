/** What trying a smarthost has shown, for people and for programs. */
import { formatOctets } from '../src/mail/octets.js'
import { Refusal } from '../src/mail/refusal.js'
import type { ProbeReport } from '../src/relay/probe.js'
import type { TlsFacts } from '../src/relay/tls-facts.js'
import { say } from './terminal.js'

/** A smarthost that was tried. */
export interface Tried {
  readonly route: string
  readonly url: string
  readonly user: string | null
  /** A Refusal = it was not even asked. */
  readonly report: ProbeReport | Refusal
}

/** Of the names in a certificate. */
const MAX_NAMES = 5

export function sayServer({ route, url, user, report }: Tried): void {
  say(`route ${route}: ${url}`)
  if (report instanceof Refusal) return row('FAILED', report.message)
  const { server, greeting, tls, mechanism, mechanisms, maxSize, failed } = report
  row('server', server)
  if (greeting !== null) row('greeting', greeting)
  if (greeting !== null || tls !== null)
    row('TLS', tls === null ? 'none' : `${tls.version} ${tls.cipher}`)
  if (tls !== null) row('certificate', certificate(tls))
  if (mechanisms.length > 0) row('offers', mechanisms.join(' '))
  if (mechanism !== null) row('login', `${mechanism} as ${user ?? ''}`)
  if (maxSize !== null) row('largest', formatOctets(maxSize))
  if (failed === null) row('good', 'it would take mail')
  else row('FAILED', `${failed.stage}: ${failed.why.message}`)
}

export function asJson({ route, url, user, report }: Tried) {
  const about = { route, url, user }
  if (report instanceof Refusal)
    return { ...about, good: false, failed: { stage: 'config', ...plain(report) } }
  const { failed, ...seen } = report
  const why = failed === null ? null : { stage: failed.stage, ...plain(failed.why) }
  return { ...about, good: failed === null, failed: why, ...seen }
}

const plain = ({ status, message }: Refusal) => ({ status, message })

function row(name: string, text: string): void {
  say(`  ${name.padEnd(12)} ${text}`)
}

function certificate({ names, validTo, problem }: TlsFacts): string {
  const shown = names.slice(0, MAX_NAMES).join(', ')
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : ''
  const proof = problem === null ? 'proves who it is' : `proves nothing: ${problem}`
  return `${shown}${more}; until ${validTo}; ${proof}`
}
