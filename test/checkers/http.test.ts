/** The checker `http` and a web service that knows alice. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  checkerContract,
  faultContract,
  usersContract,
  withPassword,
} from '../contracts/checker.js'
import { badServer, check, privateFile, rubbish, silent } from './stage.js'

type Asked = Readonly<Record<string, string | undefined>>

const ALICE = 'alice@example.com'

function treat({ question, user, password }: Asked): object {
  const good = user === ALICE && (question === 'user' || password === 'Wonderland ')
  return good ? { result: 'yes', quota: '2GB', name: 'Alice' } : { result: 'no' }
}

/** @param answer what is sent for a question */
async function serviceWith(answer: (asked: Asked, response: ServerResponse) => void) {
  const heads: (string | undefined)[] = []
  const server = createServer((request, response) => {
    heads.push(request.headers.authorization)
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => answer(JSON.parse(String(Buffer.concat(pieces))) as Asked, response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`, heads }
}

const saying = async (status: number, text: string) => {
  const { url } = await serviceWith((_, response) => response.writeHead(status).end(text))
  return check(`http:${url};timeout=1`)
}
const make = async () => {
  const { url } = await serviceWith((asked, response) => response.end(JSON.stringify(treat(asked))))
  return check(`http:${url}`)
}

checkerContract('the checker http', make, ['password'])
usersContract('the checker http', make)
faultContract('the checker http', {
  'is down': () => check('http:http://127.0.0.1:1/'),
  'says nothing': async () => check(`http:http://127.0.0.1:${await badServer(silent)}/;timeout=1`),
  'speaks another language': async () =>
    check(`http:http://127.0.0.1:${await badServer(rubbish)}/;timeout=1`),
  'sends no JSON': () => saying(200, 'yes'),
  'sends another object': () => saying(200, '{"result":"maybe"}'),
  'sends null': () => saying(200, 'null'),
  'sends far too much': () => saying(200, `"${'x'.repeat(1_000_000)}"`),
  'has a fault': () => saying(500, '{"result":"no"}'),
  'does not know us': () => saying(403, '{"result":"no"}'),
  'sends us elsewhere': () => saying(302, '{"result":"yes"}'),
  'names an impossible quota': () => saying(200, '{"result":"yes","quota":"lots"}'),
})

describe('the checker http', () => {
  it('says who asks by the token in a file', async () => {
    const file = await privateFile('t0ken\n')
    const { url, heads } = await serviceWith((_, response) => response.end('{"result":"yes"}'))
    const checker = check(`http:${url};token_file=${file}`)
    expect(await checker.requestAvatarId(withPassword(ALICE, 'x'))).toBe(ALICE)
    expect(heads).toEqual(['Bearer t0ken'])
  })

  it('asks nobody about other domains, and never with an empty password', async () => {
    const { url, heads } = await serviceWith((_, response) => response.end('{"result":"yes"}'))
    const checker = check(`http:${url}`)
    expect(await checker.requestAvatarId(withPassword('a@b.example', 'x'))).toBeNull()
    expect(await checker.requestAvatarId(withPassword(ALICE, ''))).toBeNull()
    expect(heads).toEqual([])
  })

  it('tells the quota and the name of a user', async () => {
    const user = await (await make()).users!.find({ local: 'alice', domain: 'example.com' })
    expect(user).toEqual({
      quota: { bytes: 2 * 1024 ** 3, messages: null },
      name: 'Alice',
      disabled: false,
    })
  })

  it('lets nobody in whom the service calls disabled', async () => {
    const checker = await saying(200, '{"result":"yes","disabled":true}')
    expect(await checker.requestAvatarId(withPassword(ALICE, 'x'))).toBeNull()
  })

  it.each(['http:', 'http:ftp://x/', 'http:http://example.com/', 'http:https://a:b@example.com/'])(
    'refuses %s',
    (spec) => {
      expect(() => check(spec)).toThrow(/the checker "http": /)
    },
  )
})
