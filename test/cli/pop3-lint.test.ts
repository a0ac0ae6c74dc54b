/** `mailtap pop3-lint` as a person at a shell sees it: the report, and how it ends. */
import { createServer } from 'node:net'
import { readdir } from 'node:fs/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { TEST_MESSAGES } from '../../src/pop3-lint/pop3-lint.js'
import { onTheWire } from '../../src/pop3-lint/test-messages.js'
import { type Fault, FaultyServer } from '../pop3-lint/faulty-server.js'
import { type Outcome, Workplace } from './workplace.js'

async function lintOf(fault: Fault, password: string, ...options: string[]): Promise<Outcome> {
  const server = new FaultyServer(fault, TEST_MESSAGES.map(onTheWire))
  onTestFinished(() => server.stop())
  const address = `127.0.0.1:${await server.start()}`
  const place = await Workplace.make()
  const args = ['pop3-lint', address, '-u', 'alice', '--password-stdin', ...options]
  return place.mailtap(args, { input: `${password}\n` })
}

describe('mailtap pop3-lint', () => {
  test('ends with 0 when there is no fault', async () => {
    const { code, out, err } = await lintOf('none', 'secret')
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(out).toMatch(/^PASS {2}greeting .*\(RFC 1939 §4\)$/m)
    expect(out).toMatch(/^\d+ rows: \d+ PASS, 0 FAIL, \d+ SKIP, \d+ NOTE$/m)
  })

  test('ends with 65 when there is one, and says what came instead of what', async () => {
    const { code, out, err } = await lintOf('uidl-without-number', 'secret')
    expect(code).toBe(65)
    expect(out).toMatch(
      /^FAIL {2}uidl-one .*\n {6}expected: \+OK \d+ uid\d+\n {6}came: {5}\+OK uid\d+/m,
    )
    expect(err).toBe('mailtap: 127.0.0.1: 1 fault\n')
  })

  test('prints the rows as JSON', async () => {
    const { code, out } = await lintOf('lf-sizes', 'secret', '--json')
    expect(code).toBe(65)
    const { server, findings } = JSON.parse(out)
    expect(server).toMatchObject({ host: '127.0.0.1', security: 'clear' })
    expect(findings).toContainEqual(
      expect.objectContaining({ id: 'retr-octets', mark: 'FAIL', rfc: 'RFC 1939 §11' }),
    )
  })

  test('ends with 77 when the password is wrong, and puts no row', async () => {
    const { code, out, err } = await lintOf('none', 'another')
    expect(code).toBe(77)
    expect(out).toBe('')
    expect(err).toContain('-ERR [AUTH] no')
    expect(err).not.toContain('another')
  })

  test('ends with 69 when nobody listens', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    const place = await Workplace.make()
    const args = ['pop3-lint', `127.0.0.1:${port}`, '-u', 'alice', '--password-stdin']
    const { code, err } = await place.mailtap(args, { input: 'secret\n' })
    expect(code).toBe(69)
    expect(err).toContain('ECONNREFUSED')
  })

  test('sends no password when STLS is refused', async () => {
    const { code, err } = await lintOf('none', 'secret', '--stls')
    expect(code).toBe(69)
    expect(err).toContain('STLS was refused')
  })

  test('writes the test messages, and over nothing', async () => {
    const place = await Workplace.make()
    expect((await place.mailtap(['pop3-lint', '--messages', 'mails'])).code).toBe(0)
    const names = TEST_MESSAGES.map(({ name }) => `${name}.eml`)
    expect((await readdir(place.file('mails'))).toSorted()).toEqual(names.toSorted())
    expect((await place.mailtap(['pop3-lint', '--messages', 'mails'])).code).toBe(73)
  })

  test.each([
    [[]],
    [['localhost']],
    [['localhost:0', '-u', 'alice']],
    [['localhost:65536', '-u', 'alice']],
    [['::1', '-u', 'alice']],
    [['localhost', '-u', 'alice', '--tls', '--stls']],
    [['localhost', '-u', 'a\nDELE 1']],
    [['localhost', '-u', 'alice', '--timeout', '0']],
  ])('refuses %j', async (args) => {
    const place = await Workplace.make()
    expect((await place.mailtap(['pop3-lint', ...args], { input: 'x\n' })).code).toBe(64)
  })
})
