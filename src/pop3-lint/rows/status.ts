/** The status lines of all the rows before: their form and length (RFC 1939 section 3). */
import { type Row, verdict } from '../row.js'
import type { StatusLines } from '../status-lines.js'

export function statusRows(said: StatusLines): readonly Row[] {
  return [
    {
      id: 'status-form',
      what: 'every answer begins with +OK or -ERR, in upper case',
      rfc: 'RFC 1939 §3',
      check: () => verdict('+OK or -ERR', said.malformed, `${said.count} answers`),
    },
    {
      id: 'status-line-end',
      what: 'every answer ends in CR LF',
      rfc: 'RFC 1939 §3',
      check: () => verdict('CR LF', said.bare),
    },
    {
      id: 'status-length',
      what: 'no answer is longer than 512 octets',
      rfc: 'RFC 1939 §3',
      check: () => verdict('512 octets at most', said.long),
    },
  ]
}
