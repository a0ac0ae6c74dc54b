/** Logs in to another server (RFC 4954) with the strongest mechanism that both sides have. */
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { Refusal } from '../mail/refusal.js'
import { channelBinding, signatureHash } from '../net/channel-binding.js'
import { saidBy } from '../transport/faults.js'
import { refusalFrom, type Reply } from '../transport/reply.js'
import type { Talk } from '../transport/talk.js'
import { ServerCloses, temporarily } from './answers.js'
import { authLogin, type ClientMechanism, plain, xoauth2 } from './client-mechanism.js'
import type { HopLogin } from './hop.js'
import { type Binding, ScramClient } from './scram-client.js'

const ACCEPTED = 235
const GO_ON = 334
/** Challenges of one exchange; SCRAM has two, LOGIN as well. */
const MAX_STEPS = 6
/** Octets of an initial response with its command: RFC 4954 section 4 keeps to the limit of a command line. */
const MAX_INITIAL = 480
/** RFC 4954 section 6: this mechanism will not do, or not with what is stored for us; another one may. */
const TRY_ANOTHER: ReadonlySet<number> = new Set([504, 534, 535])

/** @returns the mechanism. @throws Refusal, always temporary, or what the connection does */
export async function logIn(
  talk: Talk,
  login: HopLogin,
  offered: ReadonlySet<string>,
  tls: TLSSocket | null,
  withinMs: number,
): Promise<string> {
  const mechanisms = mechanismsFor(login, offered, tls)
  let refused: Reply | null = null
  for (const mechanism of mechanisms) {
    refused = await tryOne(talk, mechanism, withinMs)
    if (refused === null) return mechanism.name
    if (!TRY_ANOTHER.has(refused.code)) break
  }
  throw refused === null ? noMechanism(offered) : loginRefused(refused)
}

/** The strongest first; after SCRAM one that sends the password, as some servers keep no more than a hash of it. */
function mechanismsFor(
  login: HopLogin,
  offered: ReadonlySet<string>,
  tls: TLSSocket | null,
): ClientMechanism[] {
  if (login.kind === 'token') return offered.has('XOAUTH2') ? [xoauth2(login)] : []
  const binding = tls === null ? null : bindingOf(tls)
  const plus = offered.has('SCRAM-SHA-256-PLUS') && binding !== null
  const scram = plus || offered.has('SCRAM-SHA-256')
  return [
    ...(scram ? [new ScramClient(login, binding, plus)] : []),
    ...(offered.has('PLAIN') ? [plain(login)] : []),
    ...(offered.has('LOGIN') && !offered.has('PLAIN') ? [authLogin(login)] : []),
  ]
}

/** @returns `null` = logged in, else what the server said instead */
async function tryOne(
  talk: Talk,
  mechanism: ClientMechanism,
  withinMs: number,
): Promise<Reply | null> {
  const first = mechanism.first?.toString('base64') ?? null
  const initial = first !== null && first.length <= MAX_INITIAL
  const command = `AUTH ${mechanism.name}`
  let reply = await talk.ask(initial ? `${command} ${first}` : command, withinMs)
  let unsent = initial ? null : first
  for (let step = 0; reply.code === GO_ON && step < MAX_STEPS; step++) {
    reply = await talk.ask(unsent ?? (await answerTo(reply, mechanism)), withinMs)
    unsent = null
  }
  if (reply.code === ACCEPTED) {
    provenBy(mechanism)
    return null
  }
  if (reply.code === 421) throw new ServerCloses(reply)
  return reply
}

async function answerTo(reply: Reply, mechanism: ClientMechanism): Promise<string> {
  try {
    const challenge = Buffer.from(reply.lines[0] ?? '', 'base64')
    return (await mechanism.answer(challenge)).toString('base64')
  } catch (cause) {
    throw untrusted(cause)
  }
}

function provenBy(mechanism: ClientMechanism): void {
  try {
    mechanism.accepted()
  } catch (cause) {
    throw untrusted(cause)
  }
}

/** RFC 9266 for TLS 1.3, else the hash of the server's certificate (RFC 5929 section 4.1). */
function bindingOf(tls: TLSSocket): Binding | null {
  const exported = channelBinding(tls, 'tls-exporter')
  if (exported !== null) return { type: 'tls-exporter', data: exported }
  const certificate = tls.getPeerX509Certificate()?.raw
  const algorithm = certificate === undefined ? null : signatureHash(certificate)
  if (certificate === undefined || algorithm === null) return null
  const data = createHash(algorithm).update(certificate).digest()
  return { type: 'tls-server-end-point', data }
}

/** No mail bounces for a password of ours: whoever runs this server will set it right. */
function loginRefused(reply: Reply): Refusal {
  if (reply.code < 400) return untrusted(new Error(`an unexpected ${saidBy(reply)}`))
  return temporarily(refusalFrom(reply))
}

const noMechanism = (offered: ReadonlySet<string>): Refusal =>
  new Refusal(451, '4.7.4', 'the server offers no way to log in that we have', {
    cause: new Error(`it offers ${[...offered].join(' ') || 'none'}`),
  })

const untrusted = (cause: unknown): Refusal =>
  new Refusal(451, '4.7.0', 'the login at the server went wrong', { cause })
