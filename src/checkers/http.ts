/**
 * The checker `http`: asks a web service. It gets a JSON object by POST, `{"question":"password",
 * "user":"alice@example.com","password":…,"protocol":"pop3","address":"192.0.2.1"}` or
 * `{"question":"user","user":…}`, and answers `{"result":"yes"}` or `{"result":"no"}` with status 200;
 * a yes may add `"quota":"2GB"`, `"name"` and `"disabled"`. Everything else is "cannot tell".
 */
import { type Address, formatAddress } from '../mail/address.js'
import { parseQuota } from '../mail/quota.js'
import type { KnownUser } from '../directory/directory.js'
import { Argument } from './argument.js'
import { type AskedUsers, type BackEnd, BackEndChecker, type Question } from './back-end.js'
import type { CheckerType } from './checker-type.js'
import { Guard, GUARD } from './guard.js'
import { post, serviceUrl } from './http-post.js'
import { secretIn } from './private-file.js'

const OK = 200

export const httpType: CheckerType = {
  help: 'a web service that answers yes or no in JSON',
  argument: 'URL[;token_file=PATH][;timeout=SECONDS]',
  example: 'http:https://accounts.example.com/mail;token_file=/etc/mailtap/token',
  kinds: ['password'],
  knowsUsers: true,
  make(text, { directory }) {
    const argument = new Argument('http', text, ['token_file', 'timeout'])
    const service = new Service(serviceUrl(argument, argument.target), argument.file('token_file'))
    const guard = new Guard('http', { timeoutMs: argument.timeoutMs(GUARD.timeoutMs) })
    return new BackEndChecker(service, directory, guard)
  },
}

class Service implements BackEnd {
  readonly #url: URL
  readonly #tokenFile: string | null
  readonly users: AskedUsers = {
    find: (address, signal) => this.#find(address, signal),
  }

  constructor(url: URL, tokenFile: string | null) {
    this.#url = url
    this.#tokenFile = tokenFile
  }

  async verify({ address, password, peer, signal }: Question): Promise<boolean> {
    const { protocol, address: from } = peer
    const user = formatAddress(address)
    const question = { question: 'password', user, password, protocol, address: from }
    const answer = await this.#ask(question, signal)
    return answer !== null && !answer.disabled
  }

  #find(address: Address, signal: AbortSignal): Promise<KnownUser | null> {
    return this.#ask({ question: 'user', user: formatAddress(address) }, signal)
  }

  async #ask(
    question: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<KnownUser | null> {
    const authorization =
      this.#tokenFile === null ? null : `Bearer ${await secretIn(this.#tokenFile)}`
    const { status, body } = await post({
      url: this.#url,
      type: 'application/json',
      body: JSON.stringify(question),
      authorization,
      signal,
    })
    if (status !== OK) throw new Error(`the service answered with HTTP status ${status}`)
    return answerOf(body)
  }
}

/** @returns `null` for a no @throws Error on whatever is neither a yes nor a no */
export function answerOf(body: string): KnownUser | null {
  const answer = parsed(body)
  if (answer['result'] === 'no') return null
  if (answer['result'] !== 'yes') throw new Error('the service said neither yes nor no')
  const { quota = null, name = null, disabled = false } = answer
  const limit = typeof quota === 'string' ? parseQuota(quota) : null
  if (quota !== null && limit === null) throw new Error('the service named a quota that is none')
  if (typeof disabled !== 'boolean') throw new Error('the service said neither true nor false')
  return { quota: limit, name: typeof name === 'string' ? name : null, disabled }
}

/** The parser's message may quote the text: that is not for the log. */
function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // The same as an answer that is no object.
  }
  throw new Error('the service answered with something that is no JSON object')
}
