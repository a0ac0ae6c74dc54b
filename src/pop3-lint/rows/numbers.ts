/** Message numbers that are none: each is refused, none is read as another one (RFC 1939 sections 3 and 5). */
import type { Row } from '../row.js'

/** Few enough that no server takes us for an attacker. `{n}` is a number that there is. */
const NO_NUMBERS: readonly string[][] = [
  ['0', '-1', '{beyond}', '4294967297', '18446744073709551617', '99999999999999999999'],
  ['+{n}', '{n}.0', '{n}e0', '0x{n}', '{n}x', '{n} {n}', 'x'],
]

const ROWS = ['RETR {n}', 'LIST {n}', 'UIDL {n}', 'TOP {n} 0', 'DELE {t}'].flatMap((command) => {
  const [verb, number, ...rest] = command.split(' ') as [string, string, ...string[]]
  return NO_NUMBERS.map((wrong, index): Row => {
    const asked = wrong.filter((each) => verb !== 'TOP' || each !== '{n} {n}')
    const lines = asked
      .map((each) => [verb, each.replaceAll('{n}', number), ...rest].join(' '))
      .flatMap((each) => [`C: ${each.replaceAll('{n}', '{1}')}`, 'S: -ERR'])
    return {
      id: `${verb.toLowerCase()}-${index === 0 ? 'no-such' : 'no-number'}`,
      what: `${verb} refuses ${index === 0 ? 'numbers that no message has' : 'what is no number'}`,
      rfc: index === 0 ? `RFC 1939 §5 ${verb}` : 'RFC 1939 §3',
      at: 'login',
      lines,
    }
  })
})

/** Many take them, and no harm comes of it. */
const HARMLESS = ['RETR 0{1}', 'RETR  {1}', 'LIST {1} ', 'NOOP x', 'STAT x', 'RSET x']

export const numbers: readonly Row[] = [
  ...ROWS,
  {
    id: 'top-no-lines',
    what: 'TOP wants a number of lines that is none below zero',
    rfc: 'RFC 1939 §7 TOP',
    at: 'login',
    lines: ['TOP {1}', 'TOP {1} -1', 'TOP {1} x', 'TOP {1} 1.5', 'TOP {1} 0x1', 'TOP'].flatMap(
      (command) => [`C: ${command}`, 'S: -ERR'],
    ),
  },
  {
    id: 'no-argument',
    what: 'RETR and DELE without a number are refused',
    rfc: 'RFC 1939 §5',
    at: 'login',
    lines: ['C: RETR', 'S: -ERR', 'C: DELE', 'S: -ERR'],
  },
  {
    id: 'strict-spaces',
    what: 'leading zeros, more spaces and needless arguments are refused, too',
    rfc: 'RFC 1939 §3',
    at: 'login',
    lenient: true,
    lines: HARMLESS.flatMap((command) => [`C: ${command}`, 'S: -ERR']),
  },
]
