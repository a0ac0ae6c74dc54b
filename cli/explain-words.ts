/** The steps of a rehearsal as lines for people, and as JSON. */
import { formatQuota } from '../src/mail/quota.js'
import type { Refusal } from '../src/mail/refusal.js'
import { stepAsJson, stepInWords } from './directory-steps.js'
import type { ConnectionLimit, Reply, Step } from './explain-step.js'

type Words = { readonly [S in Step['step']]: (step: Extract<Step, { step: S }>) => string[] }

const WORDS: Words = {
  client: ({ ip, port, secure, endpoints }) => [
    endpoints.length === 0
      ? `client ${ip}: [listen] has no ${port} endpoint, so it could not connect`
      : `client ${ip} at ${port}${secure ? ' over TLS' : ''} (${endpoints.join(', ')})`,
  ],
  connections: ({ limits }) =>
    limits.length === 0
      ? ['  connections: no limit for it (this machine, or [limits] trusted)']
      : limits.map((limit) => `  connections from ${limit.network}: ${limitsOf(limit)}`),
  rate: ({ what, perMinute }) => [`  rate of ${what}: at most ${perMinute} a minute`],
  command: ({ line }) => [`C: ${line}`],
  reply: (reply) => replyLines(reply).map((line) => `S: ${line}`),
  account: ({ user, state, anySender }) => [
    state === 'good'
      ? `  account ${user}: good (the password is not asked for), may send as ${anySender ? 'anybody' : 'its own addresses'}`
      : `  account ${user}: ${state}`,
  ],
  domain: ({ domain, ours }) => [`  domain ${domain}: ${ours ? 'ours' : 'not ours'}`],
  address: ({ found }) => [`  ${stepInWords(found)}`],
  quota: ({ user, quota, usage, refusal }) => {
    const used = `${usage.bytes} octets in ${usage.messages} messages of ${formatQuota(quota)}`
    return [`  quota of ${user}: ${used}: ${refusal === null ? 'room' : refusalInWords(refusal)}`]
  },
  relay: ({ to, route, via }) => [`  relay: ${to} by route ${route}, via ${via.join(', then ')}`],
  room: ({ refusal }) => [`  disk: ${refusal === null ? 'room' : refusalInWords(refusal)}`],
  filter: ({ filter, says, refusal }) => [
    `  filter ${filter}: ${refusal === null ? SAYINGS[says] : refusalInWords(refusal)}`,
  ],
  log: ({ level, event, fields }) => {
    const { reason } = fields
    return [`  log (${level}): ${event}${typeof reason === 'string' ? `: ${reason}` : ''}`]
  },
}

const SAYINGS = {
  pass: 'passes',
  exempt: 'does not look at this client or recipient',
  junk: 'passes, marked as junk',
  refuse: 'refuses',
  'needs the message': 'looks at the message, not asked here',
}

/** One step. */
export function linesOf(step: Step): string[] {
  // The key of the table says of which kind it is.
  return (WORDS[step.step] as (step: Step) => string[])(step)
}

/** One step, flat. */
export function jsonOf(step: Step): object {
  if (step.step === 'address') return { step: step.step, ...stepAsJson(step.found) }
  if (step.step === 'reply') return { step: step.step, ...replyAsJson(step) }
  if (!('refusal' in step)) return step
  const { refusal, ...facts } = step
  return refusal === null ? facts : { ...facts, reply: replyAsJson(refusalAsReply(refusal)) }
}

export function replyAsJson({ code, status, lines }: Reply): object {
  return { code, status, text: lines.join('\n') }
}

/** `550 5.1.1 no such user` */
export function replyInWords(reply: Reply): string {
  const { code, status, lines } = reply
  return [code, ...(status === null ? [] : [status]), ...lines].join(' ')
}

/** Of what EHLO offers only the first line: nothing is decided there. */
function replyLines({ code, status, lines }: Reply): string[] {
  const shown = code < 400 ? lines.slice(0, 1) : lines
  return shown.map((line) => replyInWords({ code, status, lines: [line] }))
}

function refusalAsReply({ code, status, message }: Refusal): Reply {
  return { code, status, lines: [message] }
}

function refusalInWords(refusal: Refusal): string {
  return replyInWords(refusalAsReply(refusal))
}

function limitsOf({ atOnce, perMinute }: ConnectionLimit): string {
  const limits = [
    ...(atOnce === 0 ? [] : [`${atOnce} at once`]),
    ...(perMinute === 0 ? [] : [`${perMinute} new ones a minute`]),
  ]
  return limits.length === 0 ? 'no limit' : `at most ${limits.join(', ')}`
}
