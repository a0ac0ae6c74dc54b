/** CAPA: its form, the same before and after the login, and true (RFC 2449). */
import type { Capabilities } from '../capabilities.js'
import { type Bench, note, pass, type Row, skip, type Verdict, verdict } from '../row.js'

/** Their definition says "announced states: both", differences: none. */
const BOTH = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'UTF8', 'LANG']
/** Tag and arguments are printable ASCII, parted by one space (RFC 2449 section 3). */
const LINE = /^[!-,.-~][!-~]*( [!-~]+)*$/
/** How the arguments of a tag look, where that is fixed. */
const FORMS = new Map([
  ['EXPIRE', /^(NEVER|\d+)( USER)?$/i],
  ['LOGIN-DELAY', /^\d+( USER)?$/i],
  ['TOP', /^$/],
  ['UIDL', /^$/],
  ['USER', /^$/],
  ['RESP-CODES', /^$/],
  ['AUTH-RESP-CODE', /^$/],
  ['PIPELINING', /^$/],
  ['STLS', /^$/],
  ['UTF8', /^(USER)?$/i],
  ['SASL', /^[A-Z0-9_-]+( [A-Z0-9_-]+)*$/],
  ['IMPLEMENTATION', /./],
])

export const capabilities: readonly Row[] = [
  {
    id: 'capa',
    what: 'CAPA tells what the server can do, before the login and after it',
    rfc: 'RFC 2449 §5',
    check({ before, after }) {
      if (before === null && after === null) return note('no CAPA: clients have to guess')
      const missing = [before === null ? 'none before' : '', after === null ? 'none after' : '']
      return verdict('a list in both states', missing.filter(Boolean), before?.lines.join(', '))
    },
  },
  announced(
    'capa-form',
    'each line of CAPA is a tag with its arguments',
    'RFC 2449 §3, §6',
    (all) => all.flatMap(({ lines }) => lines.filter((line) => !LINE.test(line) || !hasForm(line))),
  ),
  announced(
    'capa-both',
    'TOP, UIDL, PIPELINING and the like are announced before the login if they are after it',
    'RFC 2449 §6',
    ([before, after]) =>
      BOTH.filter((tag) => before!.has(tag) !== after!.has(tag)).map(
        (tag) => `${tag} only ${before!.has(tag) ? 'before' : 'after'} the login`,
      ),
  ),
  works(
    'top-announced',
    'TOP is announced exactly if it is there',
    'RFC 2449 §6.1',
    'TOP',
    'TOP 1 0',
  ),
  works(
    'uidl-announced',
    'UIDL is announced exactly if it is there',
    'RFC 2449 §6.8',
    'UIDL',
    'UIDL',
  ),
]

function hasForm(line: string): boolean {
  const [tag, ...words] = line.split(' ')
  return FORMS.get(tag!.toUpperCase())?.test(words.join(' ')) ?? true
}

function announced(
  id: string,
  what: string,
  rfc: string,
  faults: (both: readonly Capabilities[]) => readonly string[],
): Row {
  return {
    id,
    what,
    rfc,
    check({ before, after }) {
      if (before === null || after === null) return skip('no CAPA in one of the states')
      return verdict(what, faults([before, after]))
    },
  }
}

function works(id: string, what: string, rfc: string, tag: string, command: string): Row {
  return {
    id,
    what,
    rfc,
    async check(bench: Bench): Promise<Verdict> {
      if (bench.after === null) return skip('no CAPA')
      if (bench.drop.sizes.size === 0) return skip('the mailbox is empty')
      const { ok, status } = await (await bench.login()).ask(command)
      if (ok === bench.after.has(tag)) return pass()
      return verdict(what, [`${ok ? 'not announced' : 'announced'}, and ${command}: ${status}`])
    },
  }
}
