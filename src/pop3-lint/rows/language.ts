/** LANG and UTF8, where they are announced (RFC 6856). */
import { linesOf } from '../capabilities.js'
import type { Client } from '../client.js'
import { type Bench, fail, pass, type Row, skip, type Verdict, verdict } from '../row.js'

export const language: readonly Row[] = [
  announced(
    'lang-list',
    'LANG lists a tag and a name for each language',
    'LANG',
    '§3',
    async (client) => {
      const { body, status } = await client.ask('LANG')
      if (body === null) return fail('+OK and a list', status)
      const lines = linesOf(body)
      const wrong = lines.filter((line) => !/^[A-Za-z0-9-]{1,64} \S/.test(line))
      return verdict('tag, space, name', lines.length === 0 ? ['an empty list'] : wrong)
    },
  ),
  announced('lang-default', 'LANG * takes the default language', 'LANG', '§3', async (client) => {
    const { ok, status } = await client.ask('LANG *')
    return ok ? pass(status) : fail('+OK', status)
  }),
  announced(
    'lang-unknown',
    'a language that is not there is refused',
    'LANG',
    '§3',
    async (client) => {
      const { ok, status } = await client.ask('LANG x-mailtap-lint')
      return ok ? fail('-ERR', status) : pass(status)
    },
  ),
  announced(
    'utf8',
    'UTF8 is taken before the login, and the login works',
    'UTF8',
    '§2.1',
    async (client, bench) => {
      const { ok, status } = await client.ask('UTF8')
      if (!ok) return fail('+OK', status)
      const answer = await client.login(bench.account)
      return answer.ok ? pass() : fail('+OK', answer.status)
    },
  ),
  announced(
    'utf8-late',
    'UTF8 is refused after the login',
    'UTF8',
    '§2.1',
    async (client, bench) => {
      const answer = await client.login(bench.account)
      if (!answer.ok) return fail('+OK', answer.status)
      const { ok, status } = await client.ask('UTF8')
      return ok ? fail('-ERR', status) : pass(status)
    },
  ),
]

function announced(
  id: string,
  what: string,
  tag: string,
  section: string,
  talk: (client: Client, bench: Bench) => Promise<Verdict>,
): Row {
  return {
    id,
    what,
    rfc: `RFC 6856 ${section}`,
    async check(bench) {
      return bench.before?.has(tag)
        ? talk(await bench.connect(), bench)
        : skip(`${tag} is not announced`)
    },
  }
}
