import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createTransport } from 'nodemailer'
import type { Config } from '../src/config/config.js'
import { byProtocol, type Protocol } from '../src/config/protocols.js'
import type { RouteConfig } from '../src/config/relay-config.js'
import { Server } from '../src/server.js'
import { plant } from './helpers/domain-tree.js'
import { keptLog } from './helpers/kept-log.js'
import { deliver } from './helpers/mail-talk.js'
import { mailIn } from './helpers/mail-world.js'
import { plainConfig } from './helpers/plain-config.js'
import { Talk } from './helpers/talk.js'

const ANY_PORT = '127.0.0.1:0'
const PASSWORD = 'tanstaaf'
const TO_US = 'Subject: hello\r\n\r\n.one\r\ntwo\r\n'

interface Domain {
  readonly users: readonly string[]
  readonly aliases?: string
}

/** A whole server with one domain. @param next where it sends mail for others; `null` = nowhere */
async function serverOf(name: string, { users, aliases = '' }: Domain, next: number | null) {
  const passwords = Object.fromEntries(users.map((user) => [user, `{PLAIN}${PASSWORD}`]))
  const tree = await plant({ domains: { [name]: { users: passwords, aliases } } })
  const changes: Partial<Config> = {
    hostname: `mx.${name}`,
    listen: byProtocol((protocol) =>
      protocol === 'smtp' || protocol === 'submission' ? [ANY_PORT] : [],
    ),
    ...(next === null ? {} : { relay: { routes: [routeTo(next)], tlsPolicies: [] } }),
  }
  const log = keptLog()
  const server = new Server(plainConfig(tree, name, changes), log)
  await server.start()
  onTestFinished(() => server.stop())
  const port = (protocol: Protocol): number =>
    server.addresses().find((each) => each.protocol === protocol)!.port!
  const spool = join(tree.root, 'state', 'spool')
  const waiting = async (): Promise<string[]> =>
    (await readdir(spool, { recursive: true })).filter((file) => /\.(?:env|msg)$/.test(file))
  return { server, port, log, waiting, mail: (user: string) => mailIn(tree, name, user) }
}

const routeTo = (port: number): RouteConfig => ({
  name: 'default',
  match: { senderDomains: [], recipientDomains: [], users: [] },
  via: [{ scheme: 'smtp', user: null, host: '127.0.0.1', port }],
  secret: null,
  tls: 'may',
  ca: null,
  concurrency: 20,
  rate: null,
})

const submitter = (port: number) =>
  createTransport({
    host: '127.0.0.1',
    port,
    auth: { user: 'alice@here.example', pass: PASSWORD },
    tls: { rejectUnauthorized: false },
  })

describe('mail for other domains', () => {
  test('leaves with a login, arrives byte for byte, and no spool file stays', async () => {
    const far = await serverOf('far.example', { users: ['bob'] }, null)
    const here = await serverOf('here.example', { users: ['alice'] }, far.port('smtp'))
    await submitter(here.port('submission')).sendMail({
      envelope: { from: 'alice@here.example', to: ['bob@far.example', 'alice@here.example'] },
      raw: 'Subject: hello\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@x>\r\n\r\n.one\r\ntwo\r\n',
    })
    await expect.poll(() => far.mail('bob'), { timeout: 10_000 }).toHaveLength(1)
    const [mail = ''] = await far.mail('bob')
    expect(mail).toContain('Return-Path: <alice@here.example>\n')
    expect(mail).toMatch(/\nReceived: from mx\.here\.example .*with ESMTPS/s)
    expect(mail).toMatch(/\n\n\.one\ntwo\n$/)
    expect(await here.mail('alice')).toHaveLength(1)
    await expect.poll(here.waiting).toEqual([])
  })

  test('that an alias forwards has a sender of ours, and a bounce finds the way back to the real one', async () => {
    const far = await serverOf('elsewhere.example', { users: ['bob', 'carol'] }, null)
    const site = { users: ['alice'], aliases: 'carol: carol@elsewhere.example\n' }
    const here = await serverOf('here.example', site, far.port('smtp'))
    expect(await deliver(here.port('smtp'), 'carol@here.example', TO_US)).toMatch(/^250/)
    await expect.poll(() => far.mail('carol'), { timeout: 10_000 }).toHaveLength(1)
    const [mail = ''] = await far.mail('carol')
    const [, sender = ''] = /^Return-Path: <(SRS0=[^>]+)>\n/.exec(mail) ?? []
    expect(sender).toMatch(/^SRS0=[A-Z2-7]{6}=[A-Z2-7]{2}=elsewhere\.example=bob@here\.example$/)

    const talk = await Talk.to(here.port('smtp'))
    await talk.reply()
    await talk.ask('EHLO mx.elsewhere.example')
    await talk.ask('MAIL FROM:<>')
    expect(await talk.ask('RCPT TO:<SRS0=AAAAAA=AA=elsewhere.example=bob@here.example>')).toMatch(
      /^550/,
    )
    expect(await talk.ask(`RCPT TO:<${sender}>`)).toMatch(/^250/)
    await talk.ask('DATA')
    expect(await talk.ask('Subject: it failed\r\n\r\nsorry\r\n.')).toMatch(/^250/)
    talk.close()
    await expect.poll(() => far.mail('bob'), { timeout: 10_000 }).toHaveLength(1)
    expect((await far.mail('bob'))[0]).toContain('Return-Path: <>\n')
  })

  test('that the other server refuses comes back to its sender with the reason', async () => {
    const far = await serverOf('far.example', { users: ['bob'] }, null)
    const here = await serverOf('here.example', { users: ['alice'] }, far.port('smtp'))
    await submitter(here.port('submission')).sendMail({
      from: 'alice@here.example',
      to: 'nobody@far.example',
      subject: 'hello',
      text: 'are you there?',
    })
    await expect.poll(() => here.mail('alice'), { timeout: 10_000 }).toHaveLength(1)
    const [report = ''] = await here.mail('alice')
    expect(report).toContain('Return-Path: <>\n')
    expect(report).toMatch(/Content-Type: multipart\/report;\s+report-type=delivery-status/)
    expect(report).toContain('Final-Recipient: rfc822; nobody@far.example\n')
    expect(report).toContain('Status: 5.1.1\n')
    expect(report).toMatch(/Diagnostic-Code: smtp; 550 5\.1\.1 no such user/)
    expect(report).toContain('are you there?')
  })

  test('is refused where there is no relay', async () => {
    const here = await serverOf('here.example', { users: ['alice'] }, null)
    const sending = submitter(here.port('submission')).sendMail({
      from: 'alice@here.example',
      to: 'bob@far.example',
      text: 'hello',
    })
    await expect(sending).rejects.toMatchObject({ responseCode: 550 })
  })

  test('of strangers is refused although there is a relay', async () => {
    const here = await serverOf('here.example', { users: ['alice'] }, 9)
    await expect(deliver(here.port('smtp'), 'bob@far.example', TO_US)).rejects.toThrow('550')
  })
})
