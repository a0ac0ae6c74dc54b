/** One question in HTTP, and its bounded answer. */
import { request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isThisMachine } from './this-machine.js'
import type { Argument } from './argument.js'

/** Octets of an answer. */
const MAX_ANSWER = 65_536

export interface HttpQuestion {
  readonly url: URL
  readonly type: 'application/json' | 'application/x-www-form-urlencoded'
  readonly body: string
  /** The value of the header Authorization; `null` for none. */
  readonly authorization: string | null
  readonly signal: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

/** The URL of a service that may hear secrets. @throws BadChecker unless it is https, or on this machine */
export function serviceUrl(argument: Argument, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) throw argument.bad('write an https:// URL')
  if (url.username !== '' || url.password !== '') {
    throw argument.bad('the URL must hold no password; everybody could see it')
  }
  if (url.protocol === 'https:' || isThisMachine(url.hostname)) return url
  throw argument.bad('passwords go over https:// only, except on this machine')
}

/** Follows no redirection: nobody else shall get the password. @throws Error when there is no answer */
export async function post(question: HttpQuestion): Promise<HttpAnswer> {
  const answer = await sent(question)
  return { status: answer.statusCode ?? 0, body: await textOf(answer) }
}

function sent({ url, type, body, authorization, signal }: HttpQuestion): Promise<IncomingMessage> {
  const options: RequestOptions = {
    method: 'POST',
    signal,
    headers: {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      accept: 'application/json',
      ...(authorization === null ? {} : { authorization }),
    },
  }
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? tlsRequest : plainRequest)(url, options)
    request.once('response', resolve)
    request.once('error', reject)
    request.end(body)
  })
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of answer) {
    pieces.push(piece as Buffer)
    size += (piece as Buffer).length
    if (size > MAX_ANSWER) throw new Error(`the answer is larger than ${MAX_ANSWER} octets`)
  }
  return Buffer.concat(pieces).toString('utf8')
}
