import { describe, expect, test } from 'vitest'
import { startSmarthost } from '../relay/smarthost-server.js'
import { oneLine, Workplace } from './workplace.js'

async function placeWith(relay: string, password = 'open sesame'): Promise<Workplace> {
  const place = await Workplace.withConfig()
  await place.write('pw', `${password}\n`)
  await place.write('mailtap.toml', `${await place.read('mailtap.toml')}\n[relay]\n${relay}\n`)
  return place
}

describe('mailtap relay test', () => {
  test('logs in over TLS and tells what it saw, and no password', async () => {
    const server = await startSmarthost({ users: { joe: 'open sesame' } })
    const url = `smtp://joe@127.0.0.1:${server.port}`
    const files = 'password_file = "pw"\nca = "ca.pem"\ntls = "verify"'
    const place = await placeWith(`via = ["${url}"]\n${files}`)
    await place.write('ca.pem', server.pem)
    const { code, out, err } = await place.mailtap(['relay', 'test'])
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^route default: smtp:\/\/joe@127\.0\.0\.1:\d+\n {2}server +127\.0\.0\.1 /)
    expect(out).toMatch(/^ {2}TLS +TLSv1\.3 /m)
    expect(out).toMatch(/^ {2}certificate +IP Address:127\.0\.0\.1; until .*; proves who it is$/m)
    expect(out).toMatch(/^ {2}login +PLAIN as joe$/m)
    expect(out).toMatch(/^ {2}largest +1 MB$/m)
    expect(out).toMatch(/^ {2}good /m)
    expect(out).not.toContain('sesame')
    const json = await place.mailtap(['relay', 'test', '--json'])
    expect(JSON.parse(json.out)).toMatchObject({
      lane: null,
      servers: [{ route: 'default', url, good: true, failed: null, mechanism: 'PLAIN' }],
    })
    expect(server.mails).toEqual([])
  })

  test('knows TLS from the first byte, and tokens', async () => {
    const server = await startSmarthost({ secure: true, users: { joe: 'open sesame' } })
    const place = await placeWith(
      `via = ["smtps://joe@127.0.0.1:${server.port}"]\ntoken_file = "pw"`,
    )
    const { code, out } = await place.mailtap(['relay', 'test'])
    expect(out).toMatch(/^ {2}login +XOAUTH2 as joe$/m)
    expect(code).toBe(0)
  })

  test('ends with "no permission" when the login is refused, and shows no password', async () => {
    const server = await startSmarthost({ users: { joe: 'open sesame' } })
    const url = `smtp://joe@127.0.0.1:${server.port}`
    const place = await placeWith(`via = ["${url}"]\npassword_file = "pw"`, 'guessed wrong')
    const { code, out, err } = await place.mailtap(['relay', 'test'])
    expect(out).toMatch(/^ {2}FAILED +login: /m)
    expect([code, err]).toEqual([77, expect.stringContaining('1 of 1 smarthosts cannot be used')])
    expect(out + err).not.toContain('guessed')
  })

  test('ends with "unavailable" at a certificate that proves nothing, and at a dead port', async () => {
    const server = await startSmarthost()
    const via = `via = ["smtp://127.0.0.1:${server.port}", "smtp://127.0.0.1:1"]`
    const place = await placeWith(`${via}\ntls = "verify"`)
    const { code, out, err } = await place.mailtap(['relay', 'test'])
    expect(out).toMatch(/^ {2}certificate .*proves nothing: /m)
    expect(out).toMatch(/^ {2}FAILED +tls: /m)
    expect(out).toMatch(/^ {2}FAILED +connect: /m)
    expect([code, err]).toEqual([69, expect.stringContaining('2 of 2 smarthosts cannot')])
  })

  test('chooses the route of a mail', async () => {
    const server = await startSmarthost()
    const route = `[[relay.route]]\nname = "far"\nrecipient_domain = "far.net"\nvia = ["smtp://127.0.0.1:${server.port}"]`
    const place = await placeWith(`via = ["mx"]\n${route}`)
    const far = await place.mailtap(['relay', 'test', '--to', 'a@far.net'])
    expect([far.code, far.out]).toEqual([
      0,
      expect.stringMatching(/^this mail goes by the route far\nroute far: smtp:\/\/127\.0\.0\.1/),
    ])
    const near = await place.mailtap(['relay', 'test', '--to', 'a@near.net', '--json'])
    expect([near.code, JSON.parse(near.out)]).toEqual([
      0,
      { lane: 'mx:default:near.net', servers: [] },
    ])
  })

  test.each<[number, string[], string]>([
    [64, ['--to', 'nobody'], '--to nobody: no address'],
    [64, ['--from', 'a@b.org'], 'give --to ADDRESS as well'],
  ])('ends with %d at %j', async (code, args, words) => {
    const place = await placeWith('via = ["mx"]')
    const outcome = await place.mailtap(['relay', 'test', ...args])
    expect([outcome.code, oneLine(outcome)]).toEqual([code, expect.stringContaining(words)])
  })

  test('says what is missing where there is no relay, and finds itself', async () => {
    const place = await Workplace.withConfig()
    const none = await place.mailtap(['relay', 'test'])
    expect([none.code, oneLine(none)]).toEqual([78, expect.stringContaining('[relay] is not set')])
    const config = (await place.read('mailtap.toml')).replace('127.0.0.1:0', '127.0.0.1:2525')
    await place.write('mailtap.toml', `${config}\n[relay]\nvia = ["smtp://localhost:2525"]\n`)
    const own = await place.mailtap(['relay', 'test'])
    expect([own.code, own.out]).toEqual([69, expect.stringContaining('this is this server itself')])
  })
})
