/** `mailtap explain`: what the server would do with a mail, each decision in order, without doing it. */
import { isIP } from 'node:net'
import { formatIp, octetsOf } from '../src/net/ip.js'
import { CONFIG, type Command, type Given, JSON_OUTPUT } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { type Question, rehearse } from './explain-rehearsal.js'
import type { Reply, Step } from './explain-step.js'
import { jsonOf, linesOf, replyAsJson, replyInWords } from './explain-words.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

const THIS_MACHINE = '127.0.0.1'
/** RFC 1870 section 4. */
const SIZE = /^\d{1,20}$/
/** Nobody of that name, or nobody who takes mail: RFC 3463 section 3.2 and 3.3, RFC 4954 section 6. */
const NO_USER = /^5\.(?:1\.1|1\.6|2\.1|7\.8)$/

export const explainMail: Command = {
  name: 'explain',
  summary: 'what the server would do with a mail, step by step; nothing is sent or changed',
  options: [
    CONFIG,
    { flags: '--from <address>', help: "the sender; '<>' for that of bounces" },
    { flags: '--to <address>', help: 'the recipient' },
    { flags: '--ip <address>', help: `where the client is (default: ${THIS_MACHINE})` },
    { flags: '--helo <name>', help: 'what it calls itself (default: its address)' },
    { flags: '--user <name>', help: 'it has logged in as this user, for submission' },
    { flags: '--size <octets>', help: 'the size that it announces' },
    JSON_OUTPUT,
  ],
  run,
}

async function run(given: Given): Promise<void> {
  const question = questionOf(given)
  const config = await settingsFor(given)
  const steps: Step[] = []
  const reply = await rehearse(config, question, (step) => steps.push(step))
  const verdict = verdictOf(reply)
  if (given.has('json'))
    sayJson({ ...question, steps: steps.map(jsonOf), verdict, reply: replyAsJson(reply) })
  else
    for (const line of [...steps.flatMap(linesOf), `${verdict}: ${replyInWords(reply)}`]) say(line)
  if (verdict === 'accepted') return
  throw new Failure(exitFor(reply), `${question.to}: ${verdict}: ${replyInWords(reply)}`)
}

/** @throws Failure */
function questionOf(given: Given): Question {
  const from = required(given, 'from')
  const ip = addressOf(given.last('ip') ?? THIS_MACHINE)
  const size = given.last('size')
  if (size !== null && !SIZE.test(size)) throw usage(`--size: '${size}' is no number of octets`)
  return {
    from: from === '<>' ? '' : from,
    to: required(given, 'to'),
    ip,
    helo: given.last('helo') ?? (ip.includes(':') ? `[IPv6:${ip}]` : `[${ip}]`),
    user: given.last('user'),
    size,
  }
}

function required(given: Given, name: string): string {
  const value = given.last(name)
  if (value !== null) return value
  throw usage(`explain needs --${name} ADDRESS`)
}

/** As the server knows it: an IPv4 address in the clothes of IPv6 is one of IPv4. */
function addressOf(text: string): string {
  const octets = isIP(text) === 0 ? null : octetsOf(text)
  if (octets === null) throw usage(`--ip: '${text}' is no IP address`)
  return formatIp(octets)
}

function verdictOf({ code }: Reply): 'accepted' | 'later' | 'refused' {
  if (code < 400) return 'accepted'
  return code < 500 ? 'later' : 'refused'
}

function exitFor({ code, status }: Reply): number {
  if (code < 500) return Exit.tryLater
  return NO_USER.test(status ?? '') ? Exit.noSuchUser : Exit.badData
}
