/**
 * What the e2e tests do again and again: give a message to SMTP, get messages from POP3, exactly as
 * they are.
 */
import { Talk } from './talk.js'

export const SENDER = 'bob@elsewhere.example'

/**
 * Puts a dot before every line that begins with one, and ends the body (RFC 5321 section 4.5.2).
 */
export function stuffed(message: Buffer): Buffer {
  const text = message.toString('latin1').replace(/(^|\n)\./g, '$1..')
  return Buffer.from(`${text}.\r\n`, 'latin1')
}

/** An SMTP conversation that has come as far as 354. */
export async function untilData(port: number, ...recipients: string[]): Promise<Talk> {
  const talk = await Talk.to(port)
  await expectCode(talk.reply(), 220)
  await expectCode(talk.ask('EHLO client.example'), 250)
  await beginData(talk, ...recipients)
  return talk
}

/** MAIL, RCPT and DATA on a conversation that has said EHLO. */
export async function beginData(talk: Talk, ...recipients: string[]): Promise<void> {
  await expectCode(talk.ask(`MAIL FROM:<${SENDER}>`), 250)
  for (const recipient of recipients) await expectCode(talk.ask(`RCPT TO:<${recipient}>`), 250)
  await expectCode(talk.ask('DATA'), 354)
}

/** @param message with CR LF line ends, the last one included @returns the reply to the body */
export async function deliver(port: number, to: string, message: string | Buffer): Promise<string> {
  const talk = await untilData(port, to)
  await talk.sendAll(stuffed(Buffer.from(message as string)))
  const reply = await talk.reply()
  talk.send('QUIT\r\n')
  await talk.rest()
  return reply
}

/** Says who it is. @returns the reply to PASS */
export async function logIn(talk: Talk, user: string, password: string): Promise<string> {
  await expectOk(talk.line())
  await expectOk(talk.ask(`USER ${user}`))
  return talk.ask(`PASS ${password}`)
}

/** All messages of a mailbox, the oldest first; they stay there. */
export async function fetchAll(port: number, user: string, password: string): Promise<Buffer[]> {
  const talk = await Talk.to(port)
  await expectOk(logIn(talk, user, password))
  const messages = []
  const [, count] = (await talk.ask('STAT')).split(' ')
  for (let n = 1; n <= Number(count); n++) {
    await expectOk(talk.ask(`RETR ${n}`))
    messages.push(await talk.text())
  }
  await expectOk(talk.ask('QUIT'))
  talk.close()
  return messages
}

/** The message as it was sent: without Return-Path, Delivered-To and the first Received. */
export function belowTrace(message: Buffer): Buffer {
  const text = message.toString('latin1')
  const trace =
    /^Return-Path: [^\r\n]*\r\nDelivered-To: [^\r\n]*\r\nReceived: [^\r\n]*\r\n([\t ][^\r\n]*\r\n)*/.exec(
      text,
    )
  if (trace === null) throw new Error(`no trace headers: ${JSON.stringify(text.slice(0, 300))}`)
  return message.subarray(trace[0].length)
}

/** The server still answers whoever comes next. */
export async function stillAnswers(ports: { smtp: number; pop3?: number }): Promise<void> {
  const smtp = await Talk.to(ports.smtp)
  await expectCode(smtp.reply(), 220)
  await expectCode(smtp.ask('NOOP'), 250)
  smtp.close()
  if (ports.pop3 === undefined) return
  const pop3 = await Talk.to(ports.pop3)
  await expectOk(pop3.line())
  await expectOk(pop3.ask('CAPA'))
  pop3.close()
}

/** @throws Error when the reply has another code */
export async function expectCode(reply: Promise<string>, code: number): Promise<void> {
  const text = await reply
  if (!text.startsWith(String(code))) throw new Error(`wanted ${code}, got ${text}`)
}

/** @throws Error when the reply is not `+OK` */
export async function expectOk(reply: Promise<string>): Promise<void> {
  const text = await reply
  if (!text.startsWith('+OK')) throw new Error(`wanted +OK, got ${text}`)
}
