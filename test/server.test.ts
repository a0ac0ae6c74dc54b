import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../src/config/config.js'
import { byProtocol } from '../src/config/protocols.js'
import { silent, type Fields, type Log } from '../src/log/log.js'
import { Server } from '../src/server.js'
import { plant } from './helpers/domain-tree.js'
import { plainConfig } from './helpers/plain-config.js'
import { Talk } from './helpers/talk.js'

const DOMAIN = 'example.com'
const PLAIN = '{PLAIN}tanstaaf'
const HASH = '$argon2id$v=19$x'
const CHALLENGE = /<\S+@localhost>$/
type Apop = Config['pop3']['apop']
/** A server on real files, the settings that it was started with, and what it warned of. */
async function started(users: Readonly<Record<string, string>>, apop: Apop = 'auto') {
  const tree = await plant({ domains: { [DOMAIN]: { users } } })
  const config = plainConfig(tree, DOMAIN, {
    listen: byProtocol((protocol) => (protocol === 'pop3' ? ['127.0.0.1:0'] : [])),
  })
  const settings: Config = { ...config, pop3: { ...config.pop3, apop } }
  const warnings: Fields[] = []
  const warn = (_: string, fields: Fields = {}): void => void warnings.push(fields)
  const log: Log = { ...silent, warn }
  const server = new Server(settings, log)
  await server.start()
  onTestFinished(() => server.stop())
  return { tree, server, config: settings, warnings }
}

/** The reply to a connection. */
async function greeting(server: Server): Promise<string> {
  const talk = await Talk.to(server.addresses()[0]!.port!)
  const heard = await talk.reply()
  talk.close()
  return heard
}

const offered = async (server: Server): Promise<boolean> => CHALLENGE.test(await greeting(server))

describe('a server', () => {
  test('offers APOP while every account can use it, and takes it', async () => {
    const { server } = await started({ alice: PLAIN, postmaster: '!' })
    await expect.poll(() => offered(server)).toBe(true)
    const talk = await Talk.to(server.addresses()[0]!.port!)
    const [challenge] = CHALLENGE.exec(await talk.reply())!
    const digest = createHash('md5').update(`${challenge}tanstaaf`).digest('hex')
    expect(await talk.ask(`APOP alice ${digest}`)).toMatch(/^\+OK/)
    expect(await talk.ask('QUIT')).toMatch(/^\+OK/)
  })

  test('stops offering it when an account with a hash comes along', async () => {
    const { server, tree } = await started({ alice: PLAIN })
    await expect.poll(() => offered(server)).toBe(true)
    await writeFile(tree.userFile(DOMAIN, 'bob'), HASH, { mode: 0o600 })
    const talk = await Talk.to(server.addresses()[0]!.port!)
    await talk.reply()
    await talk.ask('USER bob')
    expect(await talk.ask('PASS x')).toMatch(/^-ERR/)
    talk.close()
    expect(await offered(server)).toBe(false)
  })

  test('takes up at a reload whether to offer it, and says that a log needs a restart', async () => {
    const { server, config, warnings } = await started({ alice: PLAIN, bob: HASH }, 'on')
    expect(await offered(server)).toBe(true)
    for (const [apop, expected] of [
      ['off', false],
      ['on', true],
      ['auto', false],
    ] as const) {
      await server.reload({ ...config, pop3: { ...config.pop3, apop } })
      expect([apop, await offered(server)]).toEqual([apop, expected])
    }
    expect(warnings).toEqual([])
    await server.reload({ ...config, log: { format: 'json', level: 'info' } })
    expect(warnings).toEqual([{ for: 'log' }])
  })

  test('does not offer it in any case where that is off', async () => {
    const { server } = await started({ alice: PLAIN }, 'off')
    await server.reload()
    expect(await offered(server)).toBe(false)
  })
})
