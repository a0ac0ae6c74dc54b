/** Milters that we did not write, on libmilter: a small one in Python, and opendkim. */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { MilterEndpoint } from '../../src/filter/milter-wire.js'
import { fromBuffer } from '../../src/mail/message.js'
import { freePort } from '../helpers/daemon.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { envelopeOf } from '../helpers/mail-world.js'
import { testWith } from '../helpers/programs.js'
import {
  DEFERRED,
  ENVELOPE,
  filterAt,
  mail,
  packet,
  scripted,
  testWithPython,
  wantedMilter,
} from './milter-stage.js'
import { startOpendkim } from './opendkim-server.js'

describe('a milter on libmilter', () => {
  testWithPython('is shown client, envelope, header and body as they are', async () => {
    const { filter } = filterAt(await wantedMilter())
    const header =
      'X-Wanted: show\nX-Tight:x\nX-Folded:  a\n\tb\nno field\nSubject: gr\xc3\xbc\xc3\x9fe\n'
    const message = fromBuffer(Buffer.from(`${header}\nhello\n\n.\nworld\n`, 'latin1'))
    const envelope = { ...ENVELOPE, to: [...ENVELOPE.to, ...ENVELOPE.to], declaredSize: 99 }
    const { headers, junk } = await filter.message(
      { ...envelope, client: { ...ENVELOPE.client, user: 'alice@example.com' } },
      message,
    )
    expect(junk).toBe(false)
    expect(headers).toEqual([
      ...['X-Seen: connect [192.0.2.7] 192.0.2.7', 'X-Seen: j=mx.example'],
      ...['X-Seen: _=[192.0.2.7]', 'X-Seen: {client_addr}=192.0.2.7', 'X-Seen: helo client'],
      ...['X-Seen: mail <bob@far.example> SIZE=99', 'X-Seen: i=E1'],
      ...['X-Seen: {mail_addr}=bob@far.example', 'X-Seen: {auth_authen}=alice@example.com'],
      ...['X-Seen: rcpt <alice@example.com>', 'X-Seen: {rcpt_addr}=alice@example.com'],
      ...['X-Seen: rcpt <alice@example.com>', 'X-Seen: {rcpt_addr}=alice@example.com'],
      ...["X-Field: X-Wanted|b'show'", "X-Field: X-Tight|b'x'"],
      String.raw`X-Field: X-Folded|b' a\n\tb'`,
      String.raw`X-Field: Subject|b'gr\xc3\xbc\xc3\x9fe'`,
      'X-Body: 19 octets, 4 lines',
    ])
  })

  testWithPython('hears of other families and of bounces', async () => {
    const { filter } = filterAt(await wantedMilter())
    const from = (address: string) =>
      filter.message(
        { ...ENVELOPE, from: null, client: { ...ENVELOPE.client, address } },
        mail('show'),
      )
    expect((await from('2001:db8::7')).headers).toEqual(
      expect.arrayContaining([
        'X-Seen: connect [2001:db8::7] 2001:db8::7',
        'X-Seen: mail <>',
        'X-Seen: {mail_addr}=',
      ]),
    )
    expect((await from('')).headers[0]).toBe('X-Seen: connect localhost None')
  })

  testWithPython('adds fields, marks mail, and may do neither', async () => {
    const { filter } = filterAt(await wantedMilter())
    const ask = (what: string) => filter.message(ENVELOPE, mail(what))
    expect(await ask('continue')).toEqual({ headers: [], junk: false })
    expect(await ask('accept early')).toEqual({ headers: [], junk: false })
    expect(await ask('add')).toEqual({
      headers: ['X-Added: one\n\ttwo', 'X-In-Front: first'],
      junk: false,
    })
    expect(await ask('quarantine')).toEqual({ headers: [], junk: true })
  })

  testWithPython('refuses and defers in its own words; what it would drop is refused', async () => {
    const { filter, log } = filterAt(await wantedMilter(), 'accept')
    for (const [what, code, status, message] of [
      ['reject', 554, '5.7.1', 'this message was refused by a filter'],
      ['discard', 554, '5.7.1', 'this message was refused by a filter'],
      ['tempfail', 451, '4.7.1', 'this message cannot be taken now; try again later'],
      ['reply', 554, '5.7.9', 'no % thanks go away'],
      ['later', 450, '4.2.7', 'come back'],
    ] as const) {
      const asked = filter.message(ENVELOPE, mail(what))
      await expect(asked, what).rejects.toMatchObject({ code, status, message })
    }
    const envelope = envelopeOf(null, 'alice@example.com', 'refused@example.com')
    await expect(filter.message(envelope, mail('continue'))).rejects.toMatchObject({
      code: 550,
      status: '5.1.1',
      message: 'not here',
    })
    expect(log.events).toEqual([])
  })

  testWithPython('sees large messages whole, and may skip the rest of a body', async () => {
    const { filter } = filterAt(await wantedMilter())
    const line = `${'x'.repeat(98)}\n`
    const lines = 30_000
    const shown = await filter.message(ENVELOPE, mail('show', line.repeat(lines)))
    expect(shown.headers.at(-1)).toBe(`X-Body: ${lines * 100} octets, ${lines} lines`)
    const ends = await filter.message(ENVELOPE, mail('show', '\n'.repeat(200_000)))
    expect(ends.headers.at(-1)).toBe('X-Body: 400000 octets, 200000 lines')
    expect((await filter.message(ENVELOPE, mail('skip', line.repeat(lines)))).headers).toEqual([
      'X-Skipped: True',
    ])
  })

  testWithPython('is shown the strangest header that was taken', async () => {
    const { filter } = filterAt(await wantedMilter())
    const strange = ['A'.repeat(70_000), `B: ${'b'.repeat(1_000_000)}`, '__proto__: x', ': y', ' z']
    const header = `${strange.join('\n')}\n${'X-Much: y\n'.repeat(2_000)}`
    const message = fromBuffer(Buffer.from(`${header}X-Wanted: add\n\nhello\n`))
    expect((await filter.message(ENVELOPE, message)).headers).toHaveLength(2)
  })

  testWithPython('is not shown the Received line of this server, but all others', async () => {
    const { filter } = filterAt(await wantedMilter())
    const own =
      'Received: from client ([192.0.2.7])\n\tby mx.example (mailtap) with ESMTP id E1;\n\tnow\n'
    const foreign = 'Received: by far.example id E2\n'
    const shown = async (header: string): Promise<string[]> => {
      const message = fromBuffer(Buffer.from(`${header}X-Wanted: show\n\nhello\n`))
      const { headers } = await filter.message(ENVELOPE, message)
      return headers.filter((line) => line.startsWith('X-Field: Received'))
    }
    expect(await shown(own + foreign)).toEqual(["X-Field: Received|b'by far.example id E2'"])
    expect(await shown(foreign + own)).toHaveLength(2)
  })

  testWithPython('that takes too long is given up', async () => {
    const { filter, log } = filterAt(await wantedMilter(), 'defer', 500)
    await expect(filter.message(ENVELOPE, mail('hang'))).rejects.toMatchObject(DEFERRED)
    expect(log.of('filter failed')).toMatchObject([{ id: 'E1', reason: 'not done after 500 ms' }])
  })
})

/** opendkim, with these settings more. */
async function opendkim(...more: readonly string[]): Promise<MilterEndpoint> {
  const server = await startOpendkim(...more)
  onTestFinished(() => server.stop())
  return server.endpoint
}

describe('opendkim', () => {
  testWith(['opendkim'], 'verifies signatures over what it is shown, and says so', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    const keys = join(await temporaryDirectory(), 'keys')
    await writeFile(keys, `s._domainkey.far.example v=DKIM1; k=rsa; p=${key}\n`)
    const more = ['AlwaysAddARHeader yes', 'KeepAuthResults yes', `TestPublicKeys ${keys}`]
    const { filter } = filterAt(await opendkim(...more))
    const signed = await signedMail(privateKey.export({ type: 'pkcs1', format: 'pem' }) as string)
    const judge = async (text: string): Promise<string> => {
      const whole = `Received: from client\n\tby mx.example; now\n${text}`
      const { headers } = await filter.message(ENVELOPE, fromBuffer(Buffer.from(whole)))
      expect(headers).toHaveLength(1)
      return headers[0]!
    }
    expect(await judge(signed)).toMatch(/^Authentication-Results: mx\.example;\s.*dkim=pass/)
    expect(await judge(signed.replace('dots', 'dota'))).toMatch(/dkim=fail/)
    expect(await judge('From: bob@far.example\n\nhello\n')).toMatch(/dkim=none/)
  })

  testWith(['opendkim'], 'that demands to remove fields is no use, and no refusal', async () => {
    const endpoint = await opendkim('KeepAuthResults no')
    const { filter, log } = filterAt(endpoint, 'defer')
    await expect(filter.message(ENVELOPE, mail('x'))).rejects.toMatchObject(DEFERRED)
    expect(log.of('filter failed')).toHaveLength(1)
    const { filter: lenient } = filterAt(endpoint, 'accept')
    expect(await lenient.message(ENVELOPE, mail('x'))).toEqual({ headers: [], junk: false })
  })
})

/** With LF line ends; simple canonicalization forgives nothing. */
async function signedMail(privateKey: string): Promise<string> {
  const dkim = { domainName: 'far.example', keySelector: 's', privateKey }
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'unix' })
  const { message } = await transport.sendMail({
    from: 'bob@far.example',
    to: 'alice@example.com',
    subject: `gr\u00fc\u00dfe ${'long '.repeat(40)}`,
    text: 'dots\n.\n..\n\n  blanks  \n\n\n',
    dkim,
  })
  return (message as Buffer).toString().replaceAll('\r\n', '\n')
}

describe('a milter that does not keep to the protocol', () => {
  const cases: Readonly<Record<string, (socket: Socket) => void>> = {
    'hangs up at once': (socket) => socket.destroy(),
    'says nothing but nonsense': (socket) => socket.write('220 mail.example.com ESMTP\r\n'),
    'sends a packet without end': (socket) => socket.write(Buffer.from([0x7f, 0, 0, 0, 65])),
    'sends an empty packet': (socket) => socket.write(Buffer.alloc(4)),
    'agrees to what was not offered': (socket) => socket.write(packet('O', 6, 0x1ff, 0)),
    'wants steps that were not offered': (socket) => socket.write(packet('O', 6, 1, 0x800)),
    'speaks another version': (socket) => socket.write(packet('O', 7, 1, 0)),
    'wants a header changed': (socket) =>
      socket.write(Buffer.concat([packet('O', 6, 1, 0xfffff & ~0x800), packet('m', 1, 'A\0b\0')])),
    'adds a field that is none': (socket) =>
      socket.write(Buffer.concat([packet('O', 6, 1, 0xfffff & ~0x800), packet('h', 'A b\0x\0')])),
    'adds fields without end': (socket) => {
      const field = packet('h', 'A\0x\0')
      const many = Array.from({ length: 2_000 }, () => field)
      socket.write(Buffer.concat([packet('O', 6, 1, 0xfffff & ~0x800), ...many]))
    },
    'shows signs of life without end': (socket) => {
      const many = Array.from({ length: 2_000 }, () => packet('p'))
      socket.write(Buffer.concat([packet('O', 6, 1, 0), ...many]))
    },
  }
  test.each(Object.entries(cases))('and %s means "later"', async (_, serve) => {
    const endpoint = await scripted(serve)
    const { filter, log } = filterAt(endpoint, 'defer', 5_000)
    await expect(filter.message(ENVELOPE, mail('x'))).rejects.toMatchObject(DEFERRED)
    expect(log.of('filter failed')).toHaveLength(1)
  })

  test('is told apart from one that is away: both are the config’s to decide', async () => {
    const away = filterAt({ host: '127.0.0.1', port: await freePort() }, 'accept')
    expect(await away.filter.message(ENVELOPE, mail('x'))).toEqual({ headers: [], junk: false })
    expect(away.log.of('filter failed')).toMatchObject([
      { then: 'accept', reason: expect.stringContaining('ECONNREFUSED') },
    ])
    const nowhere = filterAt({ path: '/nowhere/milter.sock' })
    await expect(nowhere.filter.message(ENVELOPE, mail('x'))).rejects.toMatchObject(DEFERRED)
  })

  test('may leave steps out, and answers only what it said it would', async () => {
    const heard: Buffer[] = []
    let closed: Promise<unknown> = Promise.resolve()
    const endpoint = await scripted((socket) => {
      socket.on('data', (chunk) => heard.push(chunk))
      closed = once(socket, 'close')
      socket.write(packet('O', 6, 1, 0xfffff & ~0x800))
      socket.write(Buffer.concat([packet('i', 0, 'X-A\0one\0'), packet('c')]))
    })
    const { filter } = filterAt(endpoint)
    const verdict = await filter.message(ENVELOPE, mail('x'))
    expect(verdict).toEqual({ headers: ['X-A: one'], junk: false })
    await closed
    const commands = commandsOf(Buffer.concat(heard))
    expect(commands.filter((command) => command !== 'D').join('')).toBe('OEQ')
  })
})

function commandsOf(bytes: Buffer): string[] {
  const commands: string[] = []
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32BE(at)) {
    commands.push(bytes.toString('latin1', at + 4, at + 5))
  }
  return commands
}
