/** Before the login: the greeting, and what may be said now (RFC 1939 section 4). */
import { fail, pass, type Row, skip, verdict } from '../row.js'

const TIMESTAMP = /<[^<>@\s]+@[^<>\s]+>/
const REFUSED = 'an error now, and the session goes on'

export const beforeLogin: readonly Row[] = [
  {
    id: 'greeting',
    what: 'the server speaks first, and says +OK',
    rfc: 'RFC 1939 §4',
    async check(bench) {
      const { greeting } = await bench.connect()
      return greeting.startsWith('+OK') ? pass(greeting) : fail('+OK', greeting)
    },
  },
  {
    id: 'apop-timestamp',
    what: 'no two greetings offer the same APOP timestamp',
    rfc: 'RFC 1939 §7 APOP',
    async check(bench) {
      const stamps = [(await bench.connect()).greeting, (await bench.connect()).greeting].map(
        (greeting) => TIMESTAMP.exec(greeting)?.[0],
      )
      if (stamps[0] === undefined) return skip('APOP is not offered')
      const same = stamps[0] === stamps[1] ? [`${stamps[0]} twice`] : []
      return verdict('a timestamp that never comes again', same)
    },
  },
  {
    id: 'apop-not-offered',
    what: 'APOP is refused where the greeting does not offer it',
    rfc: 'RFC 1939 §7 APOP',
    async check(bench) {
      const client = await bench.connect()
      if (TIMESTAMP.test(client.greeting)) return skip('APOP is offered')
      const { status } = await client.ask(`APOP nobody ${'0'.repeat(32)}`)
      return status.startsWith('-ERR') ? pass(status) : fail('-ERR', status)
    },
  },
  ...[
    ['STAT', 'LIST'],
    ['RETR 1', 'DELE 1'],
    ['UIDL', 'TOP 1 0'],
    ['NOOP', 'RSET'],
  ].map((commands): Row => ({
    id: `early-${commands.map((command) => command.split(' ')[0]!.toLowerCase()).join('-')}`,
    what: `${commands.join(' and ')} are refused before the login`,
    rfc: 'RFC 1939 §3, §5',
    at: 'greeting',
    lines: commands.flatMap((command) => [`C: ${command}`, 'S: -ERR']),
  })),
  {
    id: 'early-unknown',
    what: `an unknown command is ${REFUSED}`,
    rfc: 'RFC 1939 §3',
    at: 'greeting',
    lines: ['C: XLINT', 'S: -ERR', 'C: USER nobody', 'S: +OK|-ERR'],
  },
  {
    id: 'pass-first',
    what: 'PASS without USER is refused',
    rfc: 'RFC 1939 §7 PASS',
    at: 'greeting',
    lines: ['C: PASS x', 'S: -ERR'],
  },
  {
    id: 'quit-early',
    what: 'QUIT before the login says +OK and hangs up',
    rfc: 'RFC 1939 §4, §6 QUIT',
    at: 'greeting',
    lines: ['C: QUIT', 'S: +OK', 'S: end'],
  },
]
