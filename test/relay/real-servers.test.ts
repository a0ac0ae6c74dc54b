import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fromBuffer } from '../../src/mail/message.js'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import type { HopLogin, TlsDemand } from '../../src/relay/hop.js'
import { probeHop } from '../../src/relay/probe.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { eximObstacle, startEximServer } from '../helpers/exim.js'
import { postfixObstacle, startPostfix } from '../helpers/postfix.js'
import { inHome, testUnless } from '../helpers/programs.js'
import { scriptedServer } from '../helpers/smtp-script.js'
import { connectionsFor, handed, hopTo, inShort, workFor } from './hop-stage.js'
import { startSmarthost } from './smarthost-server.js'

const LOGIN = { kind: 'password', user: 'joe', password: 'geheim' } as const
const TEXT = 'Subject: over there\n\n.\n..dots\nlast\n'
const MAIL = fromBuffer(Buffer.from(TEXT))
const PATIENCE = { timeout: 20_000, interval: 100 }
const verified = (ca: string, name: string): TlsDemand => ({ kind: 'verify', names: [name], ca })

describe("npm's smtp-server", () => {
  const logins: readonly HopLogin[] = [LOGIN, { kind: 'token', user: 'joe', token: 'geheim' }]
  const cases = logins.flatMap((login) =>
    [false, true].map((implicitTls) => ({ login, implicitTls })),
  )

  it.each(cases)('takes mail after a login: %j', async ({ login, implicitTls }) => {
    const users = { joe: 'geheim' }
    const server = await startSmarthost({ secure: implicitTls, users })
    const tls = verified(server.pem, '127.0.0.1')
    const hop = hopTo(server.port, { tls, login, implicitTls })
    const connections = connectionsFor()
    for (let n = 0; n < 3; n++)
      expect(inShort(await connections.hand(hop, workFor(['a@x.example']), MAIL))).toEqual([
        'delivered',
      ])
    const mail = {
      user: 'joe',
      to: ['a@x.example'],
      secure: true,
      text: TEXT.replaceAll('\n', '\r\n'),
    }
    expect(server.mails).toEqual([mail, mail, mail])
  })

  it('refuses a wrong password, and mail is for later', async () => {
    const server = await startSmarthost({ users: { joe: 'other' } })
    const hop = hopTo(server.port, { tls: verified(server.pem, '127.0.0.1'), login: LOGIN })
    expect(await handed(hop)).toEqual([expect.stringMatching(/^unusable 4/)])
  })

  it('is probed: what it offers, its TLS, the login', async () => {
    const server = await startSmarthost({ users: { joe: 'geheim' } })
    const hop = hopTo(server.port, { tls: verified(server.pem, '127.0.0.1'), login: LOGIN })
    const report = await probeHop(hop, 'us.example')
    expect(report).toMatchObject({
      server: 'mx.test [127.0.0.1]',
      failed: null,
      greeting: expect.stringMatching(/^220 /),
      tls: { version: 'TLSv1.3', names: ['IP Address:127.0.0.1'], problem: null },
      mechanisms: ['PLAIN', 'LOGIN', 'XOAUTH2'],
      mechanism: 'PLAIN',
      maxSize: 1_048_576,
    })
    const wrong = await probeHop({ ...hop, login: { ...LOGIN, password: 'x' } }, 'us.example')
    expect(wrong.failed).toMatchObject({ stage: 'login', why: { temporary: true } })
    const distrusted = await probeHop(
      { ...hop, tls: verified(server.pem, 'mx.test') },
      'us.example',
    )
    expect(distrusted).toMatchObject({
      failed: { stage: 'tls' },
      tls: { problem: 'it is not for mx.test' },
      mechanism: null,
    })
    const nobody = await probeHop({ ...hop, port: 1 }, 'us.example')
    expect(nobody).toMatchObject({ failed: { stage: 'connect' }, greeting: null, tls: null })
  })
})

describe('Exim', () => {
  testUnless(eximObstacle(), 'takes mail over verified TLS after a login, twice', async () => {
    const pem = await makeSelfSigned('exim.example')
    await inHome(async (home) => {
      const server = await startEximServer(home, pem, LOGIN)
      try {
        const tls = verified(pem, 'exim.example')
        const hop = hopTo(server.port, { name: 'exim.example', tls, login: LOGIN })
        const connections = connectionsFor()
        const work = workFor(['a@x.example', 'b@x.example'])
        for (let n = 0; n < 2; n++)
          expect(inShort(await connections.hand(hop, work, MAIL))).toEqual([
            'delivered',
            'delivered',
          ])
        const mailbox = () => readFile(server.mailbox, 'utf8').catch(() => '')
        // One delivery for each recipient of each mail.
        await expect
          .poll(async () => (await mailbox()).split('\n.\n..dots\nlast\n').length, PATIENCE)
          .toBe(5)
        expect(await mailbox()).toMatch(/with esmtpsa/)
        const stranger = await connections.hand({ ...hop, login: null }, work, MAIL)
        expect(inShort(stranger)[0]).toMatch(/^550 .*log in first/)
        await connections.close()
      } finally {
        await server.stop()
      }
    })
  })
})

describe('Postfix', () => {
  testUnless(
    postfixObstacle(),
    'takes mail over verified TLS and hands it on unchanged',
    async () => {
      const behind = await scriptedServer()
      const pem = await makeSelfSigned('relay.example')
      const file = join(await temporaryDirectory(), 'tls.pem')
      await writeFile(file, pem, { mode: 0o600 })
      const settings = `smtpd_tls_chain_files = ${file}
smtpd_tls_security_level = encrypt
smtp_tls_security_level = none
`
      const server = await startPostfix(
        { 'x.example': `smtp:[127.0.0.1]:${behind.port}` },
        '',
        settings,
      )
      try {
        const hop = hopTo(server.port, {
          name: 'relay.example',
          tls: verified(pem, 'relay.example'),
        })
        const connections = connectionsFor()
        const work = workFor(['a@x.example', 'b@x.example'])
        const result = await connections.hand(hop, work, MAIL)
        expect(result).toMatchObject({
          kind: 'answered',
          outcomes: [{ refusal: null, reportsItself: true }, { refusal: null }],
        })
        await expect
          .poll(() => behind.taken.join('\n'), PATIENCE)
          .toMatch(/\r\n\r\n\.\.\r\n\.\.\.dots\r\nlast$/)
        expect(behind.taken[0]).toContain('with ESMTPS')
        const other = await connections.hand(
          hop,
          workFor(['"a b"@x.example'], { from: null }),
          MAIL,
        )
        expect(inShort(other)).toEqual(['delivered'])
      } finally {
        await server.stop()
      }
    },
  )
})
