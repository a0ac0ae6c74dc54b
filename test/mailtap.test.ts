import { createConnection } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createTransport } from 'nodemailer'
import { mailtap, type Mailtap } from '../src/mailtap.js'

describe('mailtap as a library', () => {
  const running: Mailtap[] = []

  async function started(): Promise<Mailtap> {
    const server = mailtap({ users: { 'alice@example.com': 'secret' } })
    running.push(server)
    await server.start()
    return server
  }

  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop()
  })

  test('takes a message on a free port and gives it to who waits for it', async () => {
    const server = await started()
    const waiting = server.waitForMessage('alice@example.com')
    const transport = createTransport({
      host: '127.0.0.1',
      port: server.port('smtp'),
      tls: { rejectUnauthorized: false },
    })
    await transport.sendMail({
      from: 'bob@elsewhere.example',
      to: 'Alice@Example.COM',
      subject: 'hello',
      text: 'one\n.two\n',
    })
    const message = (await waiting).toString()
    expect(message).toMatch(
      /^Return-Path: <bob@elsewhere\.example>\r\nDelivered-To: alice@example\.com\r\nReceived: /,
    )
    expect(message).toContain('\r\n.two\r\n')
  })

  test('lets the user fetch it by POP3', async () => {
    const server = await started()
    const talk = createConnection(server.port('pop3'), '127.0.0.1')
    talk.write('USER alice\r\nPASS secret\r\nSTAT\r\nQUIT\r\n')
    let heard = ''
    for await (const chunk of talk) heard += String(chunk)
    expect(heard.split('\r\n')).toHaveLength(6)
    expect(heard).toContain('+OK 0 0\r\n')
  })
})
