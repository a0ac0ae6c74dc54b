/** STLS: a fresh start, and nothing from before it (RFC 2595 section 4). No password is sent here. */
import { Capabilities } from '../capabilities.js'
import type { Client } from '../client.js'
import { type Bench, fail, pass, type Row, skip, type Verdict } from '../row.js'

export const tls: readonly Row[] = [
  overStls('stls', 'STLS begins TLS, and CAPA no longer announces STLS', async (client) => {
    await client.stls(false)
    const after = Capabilities.of(await client.ask('CAPA'))
    return after?.has('STLS') ? fail('no STLS', after.lines.join(', ')) : pass()
  }),
  overStls('stls-twice', 'STLS inside TLS is refused', async (client) => {
    await client.stls(false)
    const { ok, status } = await client.ask('STLS')
    return ok ? fail('-ERR', status) : pass(status)
  }),
  overStls('stls-forgets', 'a USER given in clear is forgotten when TLS begins', async (client) => {
    await client.ask('USER nobody')
    await client.stls(false)
    const { ok, status } = await client.ask('PASS x')
    return ok ? fail('-ERR', status) : pass(status)
  }),
  overStls(
    'stls-injection',
    'commands sent in clear behind STLS are not carried out inside TLS',
    injected,
  ),
]

/** One answer, to QUIT, is ours; each further one is to what anybody could have put in. */
async function injected(client: Client): Promise<Verdict> {
  client.send('STLS\r\nCAPA\r\nUSER nobody\r\n')
  const status = await client.status()
  if (!status.startsWith('+OK')) return pass(`refused: ${status}`)
  try {
    await client.secure(false)
  } catch {
    return pass('the connection ended')
  }
  client.send('QUIT\r\n')
  const answers = (await client.rest()).split('\r\n').slice(0, -1)
  const ours = answers.length <= 1
  return ours ? pass(answers[0]) : fail('one answer, to QUIT', answers.join(' | '))
}

function overStls(id: string, what: string, talk: (client: Client) => Promise<Verdict>): Row {
  return {
    id,
    what,
    rfc: 'RFC 2595 §4',
    async check(bench: Bench) {
      if (bench.target.security === 'tls') return skip('TLS comes first on this port')
      const client = await bench.connectInClear()
      const announced = Capabilities.of(await client.ask('CAPA'))?.has('STLS') ?? false
      return announced ? talk(client) : skip('STLS is not announced')
    },
  }
}
