/** Sessions as such: one per mailbox, many commands at once, states, strange lines (RFC 1939, 2449). */
import { setTimeout as sleep } from 'node:timers/promises'
import { NoAnswer } from '../connection.js'
import type { Reply } from '../client.js'
import { type Bench, fail, note, pass, type Row, skip, type Verdict } from '../row.js'

/** How many commands are sent in one packet. */
const PIPELINED = 50
/** The longest line that RFC 2449 section 4 allows, and far more. */
const OVERLONG = 4000
/** How long an answer is waited for that need not come. */
const SHORT_MS = 2000
/** Tries, and the time between, until the mailbox of a lost session is free. */
const MAX_TRIES = 20
const TRY_MS = 250

export const sessions: readonly Row[] = [
  {
    id: 'lock',
    what: 'a mailbox that a session has open is closed to the next one',
    rfc: 'RFC 1939 §4, §8',
    async check(bench) {
      await bench.loginAnew()
      const second = await bench.connect()
      const answer = await orSilence(second.login(bench.account))
      if (answer === null) return note('the second login waits until the first session ends')
      const { ok, status } = answer
      if (ok) return fail('-ERR while the other session lasts', status)
      if (/^-ERR \[AUTH\]/i.test(status))
        return fail('-ERR [IN-USE]; [AUTH] says wrong password', status)
      return /^-ERR \[IN-USE\]/i.test(status) ? pass(status) : note(`no [IN-USE]: ${status}`)
    },
  },
  {
    id: 'lock-freed',
    what: 'a session that was cut off leaves the mailbox to the next one soon',
    rfc: 'RFC 1939 §4',
    async check(bench) {
      const first = await bench.loginAnew()
      first.drop()
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const { ok } = await (await bench.connect()).login(bench.account)
        if (ok) return pass()
        await sleep(TRY_MS)
      }
      return fail('a login', `none within ${(MAX_TRIES * TRY_MS) / 1000} s`)
    },
  },
  {
    id: 'pipelining',
    what: `${PIPELINED} commands in one packet are answered, each in its turn`,
    rfc: 'RFC 2449 §6.6',
    check: (bench) => pipelined(bench),
  },
  {
    id: 'pipelined-login',
    what: 'USER, PASS and STAT in one packet are answered, each in its turn',
    rfc: 'RFC 2449 §6.6',
    async check(bench) {
      if (!bench.before?.has('PIPELINING')) return skip('PIPELINING is not announced')
      const client = await bench.connect()
      const { user, password } = bench.account
      const commands = [`USER ${user}`, `PASS ${password}`, 'STAT']
      client.send(Buffer.from(`${commands.join('\r\n')}\r\n`).toString('latin1'))
      for (const command of commands) {
        const { ok, status } = await client.hear(command)
        if (!ok) return fail('+OK', `${command.split(' ')[0]}: ${status}`)
      }
      return pass()
    },
  },
  {
    id: 'noop',
    what: 'NOOP does nothing, with +OK',
    rfc: 'RFC 1939 §5 NOOP',
    at: 'login',
    lines: ['C: NOOP', 'S: +OK'],
  },
  {
    id: 'unknown',
    what: 'an unknown command is an error, and the session goes on',
    rfc: 'RFC 1939 §3',
    at: 'login',
    lines: ['C: XLINT', 'S: -ERR', 'C: CONSTRUCTOR', 'S: -ERR', 'C: NOOP', 'S: +OK'],
  },
  {
    id: 'empty-line',
    what: 'an empty line is an error, and the session goes on',
    rfc: 'RFC 1939 §3',
    at: 'login',
    lines: ['C: ', 'S: -ERR', 'C: NOOP', 'S: +OK'],
  },
  {
    id: 'login-again',
    what: 'USER, PASS and STLS are refused after the login',
    rfc: 'RFC 1939 §4, RFC 2595 §4',
    at: 'login',
    lines: ['USER x', 'PASS x', 'STLS', 'NOOP'].flatMap((command) => [
      `C: ${command}`,
      command === 'NOOP' ? 'S: +OK' : 'S: -ERR',
    ]),
  },
  {
    id: 'long-line',
    what: `a line of ${OVERLONG} octets is one error, or the end; the next line is no part of it`,
    rfc: 'RFC 2449 §4',
    at: 'login',
    lines: [`C: XLINT ${'x'.repeat(OVERLONG)}`, 'S: -ERR|end', 'C: NOOP', 'S: +OK|end'],
  },
  {
    id: 'bare-lf',
    what: 'a command that ends in LF alone is not CR LF',
    rfc: 'RFC 1939 §3',
    async check(bench) {
      const client = await bench.login()
      client.send('NOOP\n')
      const answer = await orSilence(client.status(SHORT_MS))
      return note(answer === null ? 'not answered' : `answered: ${answer}`)
    },
  },
]

async function pipelined(bench: Bench): Promise<Verdict> {
  if (!bench.after?.has('PIPELINING')) return skip('PIPELINING is not announced')
  const client = await bench.login()
  const number = [...bench.drop.sizes.keys()][0]
  const some = number === undefined ? ['NOOP'] : [`LIST ${number}`, `RETR ${number}`, 'NOOP']
  const commands = Array.from({ length: PIPELINED }, (_, index) => some[index % some.length]!)
  client.send(`${commands.join('\r\n')}\r\n`)
  const answers = new Map<string, Reply>()
  for (const [index, command] of commands.entries()) {
    const reply = await client.hear(command)
    const first = answers.get(command)
    if (!reply.ok) return fail('+OK', `${command}, command ${index + 1}: ${reply.status}`)
    if (first !== undefined && !same(first, reply))
      return fail(first.status, `${command}, command ${index + 1}: ${reply.status}`)
    answers.set(command, reply)
  }
  return pass()
}

function same(one: Reply, other: Reply): boolean {
  if (one.status !== other.status) return false
  return one.body === null ? other.body === null : one.body.equals(other.body ?? Buffer.alloc(0))
}

/** `null` when no answer comes. */
async function orSilence<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof NoAnswer) return null
    throw error
  }
}
