import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { deriveScram } from '../../src/cred/scram.js'
import type { NamedCredentials } from '../../src/cred/credentials.js'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import type { Hop, HopLogin } from '../../src/relay/hop.js'
import { type Binding, ScramClient } from '../../src/relay/scram-client.js'
import { Scram } from '../../src/sasl/scram.js'
import { keptLog } from '../helpers/kept-log.js'
import { type Script, scriptedServer } from '../helpers/smtp-script.js'
import { connectionsFor, handed, hopTo, inShort, MESSAGE, workFor } from './hop-stage.js'

const pem = await makeSelfSigned('mx.test')
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const PASSWORD: HopLogin = { kind: 'password', user: 'joe', password: 'geheim' }
const TOKEN: HopLogin = { kind: 'token', user: 'joe@x.example', token: 'ya29.token' }

async function loggedIn(
  auth: string,
  login: HopLogin,
  script: Script = {},
  more: Partial<Hop> = {},
) {
  const EHLO = `250-mx.test\r\n250-STARTTLS\r\n250 AUTH ${auth}`
  const server = await scriptedServer({ pem, script: { EHLO, ...script } })
  const log = keptLog()
  const hop = hopTo(server.port, { tls: { kind: 'encrypt' }, login, ...more })
  const result = await connectionsFor({ log }).hand(hop, workFor(['a@x.example']), MESSAGE)
  const said = server.commands()
  const at = said.findIndex((line) => line.startsWith('AUTH'))
  return {
    outcome: inShort(result)[0],
    auth: said.slice(at).filter((line) => !/^(MAIL|RCPT|DATA)/.test(line)),
    log: JSON.stringify(log.events),
    said,
  }
}

describe('a login at another server', () => {
  it('is PLAIN where there is nothing better', async () => {
    const { outcome, auth } = await loggedIn('LOGIN PLAIN CRAM-MD5', PASSWORD)
    expect(outcome).toBe('delivered')
    expect(auth).toEqual([`AUTH PLAIN ${base64('\0joe\0geheim')}`])
  })

  it('is LOGIN where there is nothing else', async () => {
    const script = {
      AUTH: '334 VXNlcm5hbWU6',
      [base64('joe')]: '334 UGFzc3dvcmQ6',
      [base64('geheim')]: '235 2.7.0 ok',
    }
    const { auth, outcome } = await loggedIn('login', PASSWORD, script)
    expect(auth).toEqual(['AUTH LOGIN', base64('joe'), base64('geheim')])
    expect(outcome).toBe('delivered')
    const endless = { AUTH: '334 VXNlcm5hbWU6', response: '334 UGFzc3dvcmQ6' }
    expect((await loggedIn('LOGIN', PASSWORD, endless)).outcome).toBe(
      'unusable 451 4.7.0 the login at the server went wrong',
    )
  })

  it('is XOAUTH2 with a token, a long one not in the command', async () => {
    const short = await loggedIn('PLAIN XOAUTH2', TOKEN)
    const text = 'user=joe@x.example\u0001auth=Bearer ya29.token\u0001\u0001'
    expect(short.auth).toEqual([`AUTH XOAUTH2 ${base64(text)}`])
    const token = 'x'.repeat(2_000)
    const script = { AUTH: '334 ', response: '235 2.7.0 ok' }
    const long = await loggedIn('XOAUTH2', { ...TOKEN, token }, script)
    expect(long.outcome).toBe('delivered')
    expect(long.auth).toEqual(['AUTH XOAUTH2', base64(text.replace('ya29.token', token))])
    const refused = { AUTH: `334 ${base64('{"status":"401"}')}`, response: '535 5.7.8 expired' }
    expect((await loggedIn('XOAUTH2', TOKEN, refused)).outcome).toBe('unusable 451 4.7.8 expired')
  })

  it.each(['535 5.7.8 wrong', '550 5.7.1 never', '454 4.7.0 not now', '421 4.3.2 away'])(
    'that is answered with %s bounces no mail, and is told to whoever runs the server',
    async (AUTH) => {
      const { outcome, log, said } = await loggedIn('PLAIN', PASSWORD, { AUTH })
      expect(outcome).toMatch(/^unusable 45[14] 4\./)
      expect(log).toContain('relay login failed')
      expect(log).toContain('"joe"')
      expect(log).not.toMatch(/geheim|Z2VoZWlt/)
      expect(said.join()).not.toContain('MAIL')
    },
  )

  it('is not tried with a mechanism that nobody knows', async () => {
    const { outcome } = await loggedIn('NTLM', PASSWORD)
    expect(outcome).toBe('unusable 451 4.7.4 the server offers no way to log in that we have')
    expect((await loggedIn('PLAIN', TOKEN)).outcome).toMatch(/^unusable 451 4\.7\.4/)
  })

  it('falls back from SCRAM to PLAIN when the server cannot do it for this user', async () => {
    const script = { AUTH: '535 5.7.8 no', [`AUTH PLAIN ${base64('\0joe\0geheim')}`]: '235 ok' }
    const { outcome, auth } = await loggedIn('PLAIN SCRAM-SHA-256', PASSWORD, script)
    expect(outcome).toBe('delivered')
    expect(auth.map((line) => line.split(' ', 2).join(' '))).toEqual([
      'AUTH SCRAM-SHA-256',
      'AUTH PLAIN',
    ])
  })

  it('does not believe a yes to SCRAM from somebody who does not know the password', async () => {
    const { outcome } = await loggedIn('SCRAM-SHA-256 PLAIN', PASSWORD, { AUTH: '235 come in' })
    expect(outcome).toBe('unusable 451 4.7.0 the login at the server went wrong')
  })

  it('goes in clear to this machine only', async ({ skip }) => {
    const clear = { tls: { kind: 'never' } } as const
    expect((await loggedIn('PLAIN', PASSWORD, {}, clear)).outcome).toBe('delivered')
    const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
    const outside = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)
    if (outside === undefined) return skip('this machine has no address but loopback')
    const server = await scriptedServer({
      host: '0.0.0.0',
      script: { EHLO: '250-x\r\n250 AUTH PLAIN' },
    })
    const hop = hopTo(server.port, { ...clear, address: outside.address, login: PASSWORD })
    expect(await handed(hop)).toEqual([
      'unusable 451 4.7.0 the server has no TLS, and a login never goes there in clear',
    ])
    expect(server.heard()).not.toContain('AUTH')
  })
})

describe('SCRAM-SHA-256 as a client', () => {
  const login = { kind: 'password', user: 'user', password: 'pencil' } as const
  const FIRST =
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'

  it('says what RFC 7677 section 3 says', async () => {
    const scram = new ScramClient(login, null, false, 'rOprNGfwEbeRWgbNEkqO')
    expect(scram.first.toString()).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
    expect(String(await scram.answer(Buffer.from(FIRST)))).toBe(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
        'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    )
    expect(() => scram.accepted()).toThrow('has not shown')
    expect(() => scram.answer(Buffer.from(`v=${'A'.repeat(43)}=`))).toThrow('does not know')
    await scram.answer(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))
    expect(() => scram.accepted()).not.toThrow()
  })

  it.each([
    'r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    'r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    FIRST.replace('4096', '4095'),
    FIRST.replace('4096', '99999999'),
    FIRST.replace('4096', '0x1000'),
    FIRST.replace('==', ''),
    '',
  ])('refuses to go on after %j', async (first) => {
    const scram = new ScramClient(login, null, false, 'rOprNGfwEbeRWgbNEkqO')
    await expect(async () => scram.answer(Buffer.from(first))).rejects.toThrow(/nonce|no first/)
  })

  it.each<[string, Binding | null, boolean]>([
    ['without a binding', null, false],
    [
      'with a binding that is not offered',
      { type: 'tls-exporter', data: Buffer.alloc(32, 7) },
      false,
    ],
    ['with a binding', { type: 'tls-exporter', data: Buffer.alloc(32, 7) }, true],
  ])('agrees with the server %s', async (_, binding, plus) => {
    const record = await deriveScram('pencil', { salt: Buffer.alloc(16, 1), iterations: 4_096 })
    const peer = {
      address: '127.0.0.1',
      protocol: 'smtp',
      secure: true,
    } as unknown as NamedCredentials['peer']
    const server = new Scram(
      {
        peer,
        hostname: 'mx.test',
        channelBinding: () => binding?.data ?? null,
        scramChallenge: async () => record,
        nonce: () => 'abc',
      },
      { plus, plusOffered: plus },
    )
    const client = new ScramClient({ ...login, user: 'a=b,c' }, binding, plus)
    expect(client.name).toBe(plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256')
    const first = await server.start(client.first)
    if (first.kind !== 'challenge') throw new Error(first.kind)
    const final = await server.next(await client.answer(first.challenge))
    if (final.kind !== 'login' || final.credentials.kind !== 'scram') throw new Error(final.kind)
    expect(final.credentials.username).toBe('a=b,c')
    expect(final.credentials.verify(record)).toBe(true)
    await client.answer(final.proof()!)
    expect(() => client.accepted()).not.toThrow()
  })
})
