import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Deadline } from '../../src/courier/deadline.js'
import { LmtpCourier } from '../../src/courier/lmtp.js'
import { silent } from '../../src/log/log.js'
import type { Envelope } from '../../src/mail/envelope.js'
import type { LmtpPlace } from '../../src/mail/lmtp-place.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { type Lines, lmtpServer, PLAIN } from '../helpers/lmtp-script.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { addressOf, envelopeOf } from '../helpers/mail-world.js'

const message = fromBuffer(Buffer.from('Subject: x\n\n.dot\n..\nend\n'))

/** @returns for each user: `delivered`, or code, status and words */
async function hand(
  place: LmtpPlace,
  users: readonly string[],
  mail: Message = message,
  more: Partial<Envelope> = {},
): Promise<string[]> {
  const courier = new LmtpCourier({ hostname: 'mx.example', log: silent })
  const targets = users.map((user) => {
    const to = addressOf(user.includes('@') ? user : `${user}@example.com`)
    return { kind: 'lmtp', endpoint: place, to } as const
  })
  const envelope = { ...envelopeOf('joe@far.example'), ...more }
  const answers = await courier.deliver(targets, envelope, mail, new Deadline())
  return answers.map((no) => (no === null ? 'delivered' : `${no.code} ${no.status} ${no.message}`))
}

const LATER = '451 4.3.0 local error, nothing is lost; try again later'
const MISCONFIGURED = '451 4.3.5 this address is misconfigured here; try again later'

describe('mail for an LMTP server', () => {
  it('goes there in one transaction, with CR LF and doubled dots', async () => {
    const { place, heard, sessions } = await lmtpServer({
      ...PLAIN,
      '.': '250 2.0.0 one\r\n250 2.0.0 two',
    })
    expect(await hand(place, ['alice', '"a b"'])).toEqual(['delivered', 'delivered'])
    await expect.poll(heard).toContain('QUIT')
    expect(heard()).toBe(
      [
        'LHLO mx.example',
        `MAIL FROM:<joe@far.example> SIZE=${message.size + message.lines}`,
        'RCPT TO:<alice@example.com>',
        'RCPT TO:<"a b"@example.com>',
        'DATA',
        'Subject: x\r\n\r\n..dot\r\n...\r\nend\r\n.',
        'QUIT',
        '',
      ].join('\r\n'),
    )
    expect(sessions()).toBe(1)
  })

  it('gets an answer for each user', async () => {
    const { place } = await lmtpServer({
      ...PLAIN,
      'RCPT TO:<b@example.com>': '550 5.1.1 no such \x1buser\xe4',
      'RCPT TO:<c@example.com>': '450 busy',
      '.': '250 2.0.0 ok\r\n452-4.2.2 full\r\n452 4.2.2 up',
    })
    expect(await hand(place, ['a', 'b', 'c', 'd'])).toEqual([
      'delivered',
      '550 5.1.1 no such ?user??',
      '450 4.0.0 busy',
      '452 4.2.2 full up',
    ])
  })

  it('is not sent where nobody is taken', async () => {
    const { place, heard } = await lmtpServer({ ...PLAIN, RCPT: '550 5.1.1 no' })
    expect(await hand(place, ['a', 'b'])).toEqual(['550 5.1.1 no', '550 5.1.1 no'])
    expect(heard()).not.toContain('DATA')
  })

  it.each<[string, Lines, string]>([
    ['the greeting', { hello: '554 5.7.1 not you' }, LATER],
    ['LHLO', { LHLO: '500 5.5.1 I speak SMTP' }, LATER],
    ['MAIL', { MAIL: '552 5.3.4 too large' }, '552 5.3.4 too large'],
    ['DATA', { DATA: '451 4.3.0 disk' }, '451 4.3.0 disk'],
    ['MAIL as an unknown command', { MAIL: '502 5.5.1 no' }, MISCONFIGURED],
    ['MAIL without a login', { MAIL: '530 5.7.0 login first' }, MISCONFIGURED],
    ['MAIL with a parameter', { MAIL: '555 5.5.4 no SIZE' }, MISCONFIGURED],
    ['DATA out of order', { DATA: '503 5.5.1 RCPT first' }, MISCONFIGURED],
    ['DATA by a server without mail', { DATA: '521 5.3.2 no mail here' }, MISCONFIGURED],
    ['DATA for good', { DATA: '554 5.7.1 spam' }, '554 5.7.1 spam'],
    ['RCPT with an end', { RCPT: '421 4.3.2 going down' }, '451 4.3.2 going down'],
    ['the end of the message with an end', { '.': '421 full' }, '451 4.0.0 full'],
    ['DATA with a yes before the message', { DATA: '354 go on\r\n250 2.0.0 early' }, LATER],
    ['DATA with half a yes', { DATA: '354 go on\r\n250-2.0.0 early' }, LATER],
    ['RCPT with two answers', { RCPT: '250 ok\r\n354 go on' }, LATER],
    ['the greeting with more', { hello: '220 hi\r\n250 what for' }, LATER],
    ['DATA with a yes', { DATA: '250 ok' }, LATER],
    ['the end of the message', { '.': '554 5.6.0 spam' }, '554 5.6.0 spam'],
    ['the end of the message with a go on', { '.': '354 more' }, LATER],
    ['RCPT with a status of another class', { RCPT: '550 4.1.1 no' }, '550 5.0.0 no'],
    ['the greeting with a hang-up', { hello: null }, LATER],
    ['MAIL with a hang-up', { MAIL: null }, LATER],
    ['the end of the message with a hang-up', { '.': null }, LATER],
    ['LHLO with another protocol', { LHLO: 'HTTP/1.1 200 OK' }, LATER],
    ['LHLO with an endless line', { LHLO: `250 ${'x'.repeat(10_000)}` }, LATER],
    ['LHLO with endless lines', { LHLO: '250-x\r\n'.repeat(1_000) }, LATER],
  ])('that is refused at %s is', async (_, lines, answer) => {
    const { place } = await lmtpServer({ ...PLAIN, ...lines })
    expect(await hand(place, ['alice'])).toEqual([answer])
  })

  it('is not there because of a yes that came while it was sent', async () => {
    const path = join(await temporaryDirectory(), 'lmtp')
    const said = ['250 x', '250 ok', '250 ok', '354 go on']
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.write('220 hi\r\n')
      socket.on('data', () => {
        socket.write(`${said.shift() ?? ''}\r\n`)
        if (said.length > 0) return
        socket.write('250 early\r\n')
        socket.removeAllListeners('data')
      })
    })
    await new Promise<void>((resolve) => server.listen(path, resolve))
    onTestFinished(() => void server.close())
    const slow = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('Subject: x\n\n')
      await sleep(100)
      yield Buffer.from('x\n')
    }
    const mail = { size: 14, lines: 3, open: slow }
    expect(await hand({ kind: 'unix', path }, ['alice'], mail)).toEqual([LATER])
  })

  it('waits when only some were answered for', async () => {
    const { place } = await lmtpServer({ ...PLAIN, '.': '250 ok\r\nquatsch' })
    expect(await hand(place, ['a', 'b'])).toEqual(['delivered', LATER])
  })

  it('waits when nobody listens', async () => {
    const { place } = await lmtpServer(PLAIN)
    const nowhere: LmtpPlace = { kind: 'unix', path: `${(place as { path: string }).path}x` }
    expect(await hand(nowhere, ['a', 'b'])).toEqual([LATER, LATER])
    expect(await hand({ kind: 'tcp', host: '127.0.0.1', port: 1 }, ['a'])).toEqual([LATER])
  })

  it('needs SMTPUTF8 only if something of it does', async () => {
    const utf8 = { smtputf8: true }
    const { place } = await lmtpServer(PLAIN)
    const header = fromBuffer(Buffer.from('Subject: \xfc\n\nx\n'))
    const body = fromBuffer(Buffer.from('Subject: u\n\n\xfc\n'))
    const no = MISCONFIGURED
    expect(await hand(place, ['a'], body, utf8)).toEqual(['delivered'])
    expect(await hand(place, ['a'], header, utf8)).toEqual([no])
    expect(await hand(place, ['jürgen'])).toEqual([no])
    const able = await lmtpServer({ ...PLAIN, LHLO: '250-x\r\n250 smtputf8' })
    expect(await hand(able.place, ['jürgen'], header, utf8)).toEqual(['delivered'])
    expect(able.heard()).toContain('MAIL FROM:<joe@far.example> SMTPUTF8\r\n')
  })

  it('that is 8-bit needs 8BITMIME', async () => {
    const { place, heard } = await lmtpServer(PLAIN)
    expect(await hand(place, ['a'], message, { eightBit: true })).toEqual(['delivered'])
    expect(heard()).toContain(' BODY=8BITMIME\r\n')
    const old = await lmtpServer({ ...PLAIN, LHLO: '250 x' })
    const eight = fromBuffer(Buffer.from('Subject: u\n\n\xfc\n'))
    expect(await hand(old.place, ['a'], eight, { eightBit: true })).toEqual([MISCONFIGURED])
    expect(old.heard()).not.toContain('MAIL')
    expect(await hand(old.place, ['a'], message, { eightBit: true })).toEqual(['delivered'])
    expect(old.heard()).toContain('MAIL FROM:<joe@far.example>\r\n')
  })

  it('never has a bare CR, nor an end before its end', async () => {
    const { place, heard } = await lmtpServer(PLAIN)
    const evil = fromBuffer(Buffer.from('a\n\r.\r\nMAIL FROM:<x@y>\n'))
    expect(await hand(place, ['a'], evil)).toEqual(['554 5.6.0 the message has a bare CR'])
    expect(heard()).not.toContain('MAIL FROM:<x@y>')
    const broken = (function* (): Generator<Buffer> {
      yield Buffer.from('a\n')
      throw new Error('EIO')
    })()
    expect(await hand(place, ['a'], { size: 9, lines: 1, open: () => broken })).toEqual([LATER])
    expect(heard()).not.toContain('\r\n.\r\n')
  })

  it('goes out in transactions of a hundred users', async () => {
    const { place, heard } = await lmtpServer({
      ...PLAIN,
      '.': Array(100).fill('250 ok').join('\r\n'),
    })
    const users = Array.from({ length: 150 }, (_, n) => `u${n}`)
    expect(await hand(place, users)).toEqual(users.map(() => 'delivered'))
    expect(heard().match(/^MAIL /gm)).toHaveLength(2)
  })
})
