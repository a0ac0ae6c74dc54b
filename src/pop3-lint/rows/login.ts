/** The login: a wrong password, the right one in any case of letters, and SASL (RFC 1939, 3206, 5034). */
import type { Client } from '../client.js'
import { utf8 } from '../client.js'
import { type Bench, fail, note, pass, type Row, skip, type Verdict } from '../row.js'

/** SASL PLAIN: authorization id, user, password (RFC 4616). */
function plainMessage({ account }: Bench): string {
  return Buffer.from(`\0${account.user}\0${account.password}`).toString('base64')
}

export const login: readonly Row[] = [
  {
    id: 'wrong-password',
    what: 'a wrong password is refused; with [AUTH] where AUTH-RESP-CODE is announced',
    rfc: 'RFC 3206 §4, §6',
    async check(bench) {
      const client = await bench.connect()
      const { user } = bench.account
      const { status } = await client.login({ user, password: 'mailtap-lint wrong' })
      if (!status.startsWith('-ERR')) return fail('-ERR', status)
      if (!bench.before?.has('AUTH-RESP-CODE')) return pass(status)
      return /^-ERR \[AUTH\]/i.test(status) ? pass(status) : fail('-ERR [AUTH]', status)
    },
  },
  {
    id: 'case',
    what: 'commands may be written in any case of letters',
    rfc: 'RFC 1939 §3',
    async check(bench) {
      const client = await bench.connect()
      const { user, password } = bench.account
      const commands = [`uSeR ${utf8(user)}`, `pAsS ${utf8(password)}`, 'sTaT', 'nOoP', 'qUiT']
      for (const command of commands) {
        const { ok, status } = await client.ask(command)
        if (!ok) return fail('+OK', `${command.split(' ')[0]}: ${status}`)
      }
      return pass()
    },
  },
  withPlain('sasl-plain', 'AUTH PLAIN with an initial response logs in', async (client, bench) => {
    const { status } = await client.ask(`AUTH PLAIN ${plainMessage(bench)}`)
    return status.startsWith('+OK') ? pass(status) : fail('+OK', status)
  }),
  withPlain('sasl-challenge', 'AUTH PLAIN asks, and then logs in', async (client, bench) => {
    const { status: challenge } = await client.ask('AUTH PLAIN')
    if (!/^\+ ?$/.test(challenge)) return fail('+ and nothing else', challenge)
    const { status } = await client.ask(plainMessage(bench))
    return status.startsWith('+OK') ? pass(status) : fail('+OK', status)
  }),
  withPlain('sasl-cancel', 'a * instead of a response ends AUTH with an error', async (client) => {
    const { status: challenge } = await client.ask('AUTH PLAIN')
    if (!challenge.startsWith('+')) return fail('+', challenge)
    const { status } = await client.ask('*')
    return status.startsWith('-ERR') ? pass(status) : fail('-ERR', status)
  }),
  {
    id: 'sasl-unknown',
    what: 'an unknown SASL mechanism is refused',
    rfc: 'RFC 5034 §4',
    at: 'greeting',
    lines: ['C: AUTH X-MAILTAP-LINT', 'S: -ERR'],
  },
  {
    id: 'login-delay',
    what: 'an announced LOGIN-DELAY holds a client back that is sooner',
    rfc: 'RFC 2449 §6.5, §8.1.2',
    async check(bench) {
      const delay = bench.before?.words('LOGIN-DELAY')
      if (!delay) return skip('LOGIN-DELAY is not announced')
      await (await bench.login()).leave()
      const { status } = await (await bench.connect()).login(bench.account)
      if (/^-ERR \[LOGIN-DELAY\]/i.test(status)) return pass(status)
      return note(`LOGIN-DELAY ${delay.join(' ')}, but at once: ${status}`)
    },
  },
]

/** A row for servers that announce SASL PLAIN on this connection. */
function withPlain(
  id: string,
  what: string,
  talk: (client: Client, bench: Bench) => Promise<Verdict>,
): Row {
  return {
    id,
    what,
    rfc: 'RFC 5034 §4',
    async check(bench) {
      if (!bench.before?.words('SASL')?.includes('PLAIN')) return skip('no SASL PLAIN announced')
      return talk(await bench.connect(), bench)
    },
  }
}
