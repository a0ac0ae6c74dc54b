/** Reads the replies of an SMTP or LMTP server (RFC 5321 section 4.2) as they come in, within limits. */
import { misconfigured, Refusal } from '../mail/refusal.js'
import { ProtocolError } from './faults.js'

/** Octets of a line; RFC 5321 section 4.5.3.1.5 has 512. */
const MAX_LINE = 2_048
const MAX_LINES = 100
/** Characters of a reply's text that a sender gets to see. */
const MAX_TEXT = 200
/** RFC 5321 section 4.2.2 (syntax, parameters), RFC 7504 (no mail), RFC 3207 and RFC 4954 (login). */
const WRONG_SERVER = new Set([500, 501, 502, 503, 504, 521, 530, 535, 538, 555])
const LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s
const STATUS = /^([245])\.(\d{1,3})\.(\d{1,3})(?: |$)/

export interface Reply {
  /** 200 to 599. */
  readonly code: number
  /** Without code and CR LF. At least one. */
  readonly lines: readonly string[]
}

/** Bytes in, replies out, in order. */
export class ReplyParser {
  #rest = ''
  #code = ''
  #lines: string[] = []

  #line(line: string): Reply | null {
    const [, code, separator = ' ', text = ''] = LINE.exec(line) ?? []
    if (code === undefined || line.length > MAX_LINE)
      throw new ProtocolError('no reply of a mail server')
    if (this.#lines.length > 0 && code !== this.#code) {
      throw new ProtocolError('a reply with two codes')
    }
    if (this.#lines.length >= MAX_LINES) throw new ProtocolError('a reply of too many lines')
    this.#code = code
    this.#lines.push(text)
    if (separator === '-') return null
    const reply = { code: Number(code), lines: this.#lines }
    this.#lines = []
    return reply
  }

  /** True if a reply has begun and not ended. */
  get begun(): boolean {
    return this.#rest !== '' || this.#lines.length > 0
  }

  /** Replies that are good come before what is not. @throws ProtocolError; the parser is of no more use then */
  *push(chunk: Buffer): Generator<Reply, void, void> {
    // One character per byte: no text of another server is believed to be UTF-8.
    const lines = (this.#rest + chunk.toString('latin1')).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) {
      const reply = this.#line(line.replace(/\r$/, ''))
      if (reply !== null) yield reply
    }
    if (this.#rest.length > MAX_LINE) throw new ProtocolError('a line of the reply is too long')
  }
}

/** True if the server said yes: 2xx. */
export const isGood = ({ code }: Reply): boolean => code >= 200 && code < 300

/**
 * What the server said, as an answer of ours: its code and status, its words
 * as far as they are printable ASCII.
 */
export function refusalFrom({ code, lines }: Reply): Refusal {
  // A "go on" where there is nothing to go on with is no answer.
  if (code < 400) throw new ProtocolError(`an unexpected ${code}`)
  const [, ...status] = STATUS.exec(lines[0]!) ?? []
  const known = status.length === 3 && status[0] === String(code)[0]
  const words = lines.map((line) => line.replace(STATUS, '')).join(' ')
  const text = words
    .replace(/[^ -~]/g, '?')
    .trim()
    .slice(0, MAX_TEXT)
  const name = known ? status.join('.') : `${code < 500 ? 4 : 5}.0.0`
  // A 421 of ours would end a connection that this server has nothing to do with.
  const ours = code === 421 ? 451 : code
  return new Refusal(ours, name, text === '' ? 'the other mail server refused it' : text)
}

/**
 * "No" to what does not depend on the recipient (MAIL, DATA): a server that does not know
 * the command, wants TLS or a login, or takes no mail at all, is set up wrongly, and that
 * is no fault of the mail.
 */
export function refusalOfAll(reply: Reply): Refusal {
  if (!WRONG_SERVER.has(reply.code)) return refusalFrom(reply)
  return misconfigured(new Error(`${reply.code} ${reply.lines.join(' ')}`))
}

/** What EHLO or LHLO told of the server: keywords in capitals, with their arguments. */
export function extensionsOf({ lines }: Reply): ReadonlyMap<string, string> {
  const [, ...offers] = lines
  return new Map(
    offers.map((line) => {
      const [word = '', ...rest] = line.split(' ')
      return [word.toUpperCase(), rest.join(' ')]
    }),
  )
}
