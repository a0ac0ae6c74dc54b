/** The checker `oauth`: signed tokens, and tokens that a server is asked about. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeChecker } from '../../src/checkers/checkers.js'
import type { Credentials } from '../../src/cred/credentials.js'
import { withPassword } from '../contracts/checker.js'
import { plant } from '../helpers/domain-tree.js'
import { badServer, check, parts, privateFile, rubbish, silent } from './stage.js'

const ISSUER = 'https://id.example.com'
const ALICE = 'alice@example.com'
const HOUR = 3_600

const withToken = (username: string, token: string): Credentials => ({
  kind: 'bearer',
  peer: withPassword('', '').peer,
  username,
  token,
})

async function served(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function checkerFor(spec: string) {
  const users = { alice: '!', off: 'disabled = true' }
  const { directory } = await plant({ domains: { 'example.com': { users } } })
  return makeChecker(spec, { ...parts, directory })
}

async function signed() {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const key = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }
  const jwks = await served((_, response) => response.end(JSON.stringify({ keys: [key] })))
  const now = Math.floor(Date.now() / 1000)
  const token = (claims: object, sign = privateKey) =>
    new SignJWT({
      iss: ISSUER,
      aud: 'mail',
      exp: now + HOUR,
      email: ALICE,
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .sign(sign)
  const checker = await checkerFor(`oauth:${ISSUER};jwks=${jwks};audience=mail`)
  const ask = async (claims: object, username = '') =>
    checker.requestAvatarId(withToken(username, await token(claims)))
  return { ask, checker, token, now }
}

describe('the checker oauth with signed tokens', () => {
  it('knows whom a good one names, and nobody else', async () => {
    const { ask } = await signed()
    expect(await ask({})).toBe(ALICE)
    expect(await ask({}, 'Alice@example.com')).toBe(ALICE)
    expect(await ask({}, 'bob@example.com')).toBeNull()
  })

  it.each([
    ['another issuer', { iss: 'https://id.example.net' }],
    ['another audience', { aud: 'calendar' }],
    ['no audience', { aud: undefined }],
    ['no end', { exp: undefined }],
    ['a start in the future', { nbf: 4_000_000_000 }],
    ['no address', { email: undefined }],
    ['an address that is a list', { email: [ALICE] }],
    ['an address that nobody verified', { email_verified: false }],
    ['an address of somebody without an account', { email: 'bob@example.com' }],
    ['an address of another server', { email: 'alice@example.org' }],
    ['an address that is switched off', { email: 'off@example.com' }],
  ])('says no to one with %s', async (_, claims) => {
    const { ask } = await signed()
    expect(await ask(claims)).toBeNull()
  })

  it('says no to one that is over, signed by another, unsigned, or none', async () => {
    const { ask, checker, token, now } = await signed()
    expect(await ask({ exp: now - HOUR })).toBeNull()
    const { privateKey } = await generateKeyPair('ES256')
    const say = (text: string) => checker.requestAvatarId(withToken('', text))
    expect(await say(await token({}, privateKey))).toBeNull()
    const [, body = ''] = (await token({})).split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const text of [`${none}.${body}.`, 'x', 'x.y.z', '', '..'])
      expect(await say(text)).toBeNull()
    expect(await checker.requestAvatarId(withPassword(ALICE, 'x'))).toBeNull()
  })

  it.each([
    ['is down', async () => 'http://127.0.0.1:1/'],
    ['says nothing', async () => `http://127.0.0.1:${await badServer(silent)}/`],
    ['says rubbish', async () => `http://127.0.0.1:${await badServer(rubbish)}/`],
    ['has a fault', () => served((_, response) => response.writeHead(500).end())],
    ['serves no keys', () => served((_, response) => response.end('[]'))],
  ])('cannot tell while the server of the keys %s', async (_, place) => {
    const { token } = await signed()
    const checker = await checkerFor(
      `oauth:${ISSUER};jwks=${await place()};audience=mail;timeout=1`,
    )
    await expect(checker.requestAvatarId(withToken('', await token({})))).rejects.toThrow(/\S/)
  })
})

async function asking(status: number, body: string, more = '') {
  const asked: string[] = []
  const url = await served((request, response) => {
    asked.push(request.headers.authorization ?? '')
    response.writeHead(status).end(body)
  })
  const secret = await privateFile('p:ss\n')
  const words = `introspect=${url};client_id=mail;secret_file=${secret};timeout=1${more}`
  const checker = await checkerFor(`oauth:${ISSUER};${words}`)
  return { asked, ask: (name = '') => checker.requestAvatarId(withToken(name, 'opaque')) }
}

describe('the checker oauth that asks a server', () => {
  it('hears whose a token is, and says who asks', async () => {
    const { ask, asked } = await asking(200, `{"active":true,"username":"${ALICE}"}`)
    expect(await ask()).toBe(ALICE)
    expect(await ask('bob@example.com')).toBeNull()
    const basic = Buffer.from('mail:p%3Ass').toString('base64')
    expect(asked).toEqual([`Basic ${basic}`, `Basic ${basic}`])
  })

  it.each([
    ['{"active":false}', ''],
    ['{"active":true}', ''],
    [`{"active":true,"username":"${ALICE}","exp":1}`, ''],
    [`{"active":true,"username":"${ALICE}","aud":"calendar"}`, ';audience=mail'],
    [`{"active":true,"username":"${ALICE}"}`, ';audience=mail'],
  ])('says no when it hears %s%s', async (body, more) => {
    expect(await (await asking(200, body, more)).ask()).toBeNull()
  })

  it.each([
    [401, '{"active":false}'],
    [500, '{"active":false}'],
    [200, 'no'],
    [200, '{"active":"true"}'],
    [200, 'null'],
  ])('cannot tell when it hears %i %s', async (status, body) => {
    await expect((await asking(status, body)).ask()).rejects.toThrow(/token server/)
  })
})

describe('the argument of the checker oauth', () => {
  it.each([
    'oauth',
    'oauth:https://x',
    'oauth:https://x;jwks=https://x/k',
    'oauth:https://x;jwks=http://x.example/k;audience=m',
    'oauth:https://x;introspect=https://x/i;client_id=c',
    'oauth:https://x;introspect=https://x/i;jwks=https://x/k;audience=m',
  ])('is refused: %s', (spec) => {
    expect(() => check(spec)).toThrow(/the checker "oauth": /)
  })
})
