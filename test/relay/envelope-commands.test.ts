import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../src/mail/address.js'
import { fromBuffer } from '../../src/mail/message.js'
import { scriptedServer } from '../helpers/smtp-script.js'
import { connectionsFor, handed, hopTo, MESSAGE, outcomesOf, workFor } from './hop-stage.js'

describe('what a message needs of another server', () => {
  const mail = async (
    offers: string,
    more: Parameters<typeof workFor>[1],
    message = MESSAGE,
    to = ['a@x.example'],
  ) => {
    const server = await scriptedServer({ script: { EHLO: `250-mx.test\r\n250 ${offers}` } })
    const outcomes = await handed(hopTo(server.port), workFor(to, more), message)
    return { outcomes, line: server.commands().find((line) => line.startsWith('MAIL')), server }
  }
  const utf8Header = fromBuffer(Buffer.from('Subject: \u00fc\n\nx\n'))
  const utf8Body = fromBuffer(Buffer.from('Subject: x\n\n\u00fc\n'))

  it('is asked of nobody when the server has said that it is too large', async () => {
    const { outcomes, line } = await mail('SIZE 20', {})
    expect(outcomes).toEqual(['552 5.3.4 the server there takes no message of more than 20 octets'])
    expect(line).toBeUndefined()
    expect((await mail('SIZE 0x1', {})).outcomes).toEqual(['delivered'])
    expect((await mail('SIZE', {})).line).toContain(' SIZE=')
  })

  it('is 8BITMIME only if there is something in 8 bit', async () => {
    expect((await mail('HELP', { eightBit: true })).outcomes).toEqual(['delivered'])
    expect((await mail('HELP', {}, utf8Body)).outcomes[0]).toMatch(/^554 5\.6\.3 /)
    expect((await mail('8BITMIME', {}, utf8Body)).line).toContain(' BODY=8BITMIME')
  })

  it('is SMTPUTF8 only if the envelope or the header has UTF-8', async () => {
    const utf8 = { smtputf8: true }
    expect((await mail('8BITMIME', utf8, utf8Body)).outcomes).toEqual(['delivered'])
    expect((await mail('8BITMIME', utf8, utf8Header)).outcomes[0]).toMatch(/^553 5\.6\.7 /)
    const from = parseAddress('j\u00fcrgen@far.example')
    expect((await mail('8BITMIME', { from })).outcomes[0]).toMatch(/^553 5\.6\.7 /)
    const { outcomes, server } = await mail('8BITMIME', {}, MESSAGE, [
      '\u00fc@x.example',
      'a@\u00fc.example',
    ])
    expect(outcomes).toEqual([expect.stringMatching(/^553 5\.6\.7 /), 'delivered'])
    expect(server.heard()).toContain('RCPT TO:<a@xn--tda.example>')
    const able = await mail('SMTPUTF8', {}, MESSAGE, ['\u00fc@x.example'])
    expect(able.outcomes).toEqual(['delivered'])
    expect(Buffer.from(able.server.heard(), 'latin1').toString()).toContain(
      'RCPT TO:<\u00fc@x.example>',
    )
  })

  it('is passed on for reports where they are offered', async () => {
    const server = await scriptedServer({ script: { EHLO: '250-x\r\n250-SMTPUTF8\r\n250 DSN' } })
    const work = workFor(['a+b=c@x.example', '\u00fc@x.example', 'c@x.example', 'd@x.example'], {
      reports: { content: 'headers', envelopeId: 'Q+2B1' },
    })
    const notices = [
      null,
      null,
      { notify: ['success', 'delay'] as const, originalRecipient: 'rfc822;o@y.example' },
      { notify: [], originalRecipient: 'evil; x\r\nQUIT' },
    ]
    const recipients = work.recipients.map(({ to }, at) => ({ to, notice: notices[at]! }))
    const result = await connectionsFor().hand(hopTo(server.port), { ...work, recipients }, MESSAGE)
    expect(outcomesOf(result).every(({ reportsItself }) => reportsItself)).toBe(true)
    const heard = server.commands().map((line) => Buffer.from(line, 'latin1').toString())
    expect(heard.slice(1, 6)).toEqual([
      'MAIL FROM:<joe@far.example> SMTPUTF8 RET=HDRS ENVID=Q+2B1',
      'RCPT TO:<a+b=c@x.example> ORCPT=rfc822;a+2Bb+3Dc@x.example',
      'RCPT TO:<\u00fc@x.example> ORCPT=utf-8;\\x{FC}@x.example',
      'RCPT TO:<c@x.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o@y.example',
      'RCPT TO:<d@x.example> NOTIFY=NEVER',
    ])
  })
})
