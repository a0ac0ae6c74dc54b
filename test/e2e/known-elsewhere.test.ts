/** Users without a user file: they get mail, and log in, because a checker knows them. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { byProtocol } from '../../src/config/protocols.js'
import { silent } from '../../src/log/log.js'
import { Server } from '../../src/server.js'
import { plant } from '../helpers/domain-tree.js'
import { deliver, fetchAll, untilData } from '../helpers/mail-talk.js'
import { plainConfig } from '../helpers/plain-config.js'

const DOMAIN = 'example.com'

async function started() {
  const aliases = 'sales: carol\n'
  const tree = await plant({ domains: { [DOMAIN]: { users: { alice: '{PLAIN}one' }, aliases } } })
  const file = join(tree.root, 'passwd')
  await writeFile(file, 'carol:{PLAIN}two\n', { mode: 0o600 })
  const listen = byProtocol((protocol) =>
    protocol === 'smtp' || protocol === 'pop3' ? ['127.0.0.1:0'] : [],
  )
  const config = plainConfig(tree, DOMAIN, { auth: ['directory', `file:${file}`], listen })
  const server = new Server(config, silent)
  await server.start()
  onTestFinished(() => server.stop())
  const port = (protocol: string): number =>
    server.addresses().find((bound) => bound.protocol === protocol)!.port!
  return { smtp: port('smtp'), pop3: port('pop3'), file }
}

describe('a user whom only a checker knows', () => {
  it('gets mail, by an alias too, and fetches it', async () => {
    const { smtp, pop3 } = await started()
    for (const to of ['carol', 'Carol+tag', 'sales', 'alice']) {
      await deliver(smtp, `${to}@${DOMAIN}`, `Subject: to ${to}\r\n\r\nhello\r\n`)
    }
    expect(await fetchAll(pop3, `carol@${DOMAIN}`, 'two')).toHaveLength(3)
    expect(await fetchAll(pop3, 'alice', 'one')).toHaveLength(1)
    await expect(deliver(smtp, `dave@${DOMAIN}`, 'x\r\n')).rejects.toThrow(/550/)
  })

  it('is neither there nor unknown while the checker cannot tell', async () => {
    const { smtp, file } = await started()
    await rm(file)
    await expect(untilData(smtp, `carol@${DOMAIN}`)).rejects.toThrow(/45\d/)
    await deliver(smtp, `alice@${DOMAIN}`, 'Subject: x\r\n\r\nhello\r\n')
  })
})
