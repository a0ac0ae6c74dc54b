/** What a milter is shown of a message, step by step: the client, the envelope, the header, the body. */
import { isIP } from 'node:net'
import { formatAddress } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import { type Header, HEADER_LIMITS, type HeaderField, readHeader } from '../mail/headers.js'
import type { Message } from '../mail/message.js'
import { fieldNameTooLong, headerTooBig, tooManyFields } from '../mail/refusal.js'
import { stepReply, type Step } from './milter-replies.js'
import type { Term, Terms } from './milter-terms.js'
import type { MilterWire } from './milter-wire.js'

/** One message with one milter. */
export interface MilterTalk {
  readonly wire: MilterWire
  readonly terms: Terms
  readonly envelope: Envelope
  /** The name of this server. */
  readonly hostname: string
}

/** Each is a packet, and mostly an answer: more of them could be shown too slowly. */
const MAX_FIELDS = HEADER_LIMITS.fields
/** Octets: a name is never folded, and lines have no more (RFC 5322 section 2.1.1). */
const MAX_NAME = 998
/** Octets of a field's value that it is shown: packets have 65,535 at most, with the name. */
const MAX_VALUE = 64_000
/** Octets of body in one packet when every one of them is a line end. */
const BODY_BLOCK = 32_767
const LF = 10
const CR = 13
const SPACE = 32

/**
 * A milter that refuses one recipient refuses the message: they all have been taken already.
 * @throws Refusal, Error
 */
export async function showEnvelope(talk: MilterTalk): Promise<Step> {
  const { from, client, to } = talk.envelope
  const sender = from === null ? '' : formatAddress(from)
  await macros(talk, 'C', { j: talk.hostname, _: bracketed(client.address), ...clientMacros(talk) })
  const steps: [string, Buffer, Term, Term][] = [
    ['C', connection(client.address), 'noConnect', 'silentConnect'],
    ['H', texts(client.helo), 'noHelo', 'silentHelo'],
  ]
  for (const step of steps) if ((await tell(talk, ...step)) === 'accept') return 'accept'
  await macros(talk, 'M', { i: talk.envelope.id, '{mail_addr}': sender, ...userMacros(talk) })
  const mail = texts(`<${sender}>`, ...mailParameters(talk.envelope))
  if ((await tell(talk, 'M', mail, 'noMail', 'silentMail')) === 'accept') return 'accept'
  for (const recipient of to.map(formatAddress)) {
    await macros(talk, 'R', { '{rcpt_addr}': recipient })
    const step = await tell(talk, 'R', texts(`<${recipient}>`), 'noRecipients', 'silentRecipients')
    if (step === 'accept') return 'accept'
  }
  return tell(talk, 'T', Buffer.alloc(0), 'noData', 'silentData')
}

/**
 * The header, if a milter can be shown it. What is too large for that its sender made so: it is
 * refused, for an outage might let it pass unseen.
 * @param octets that it may have
 * @throws Refusal
 */
export async function showable(message: Message, octets: number): Promise<Header> {
  const header = await readHeader(message.open(), { octets, fields: MAX_FIELDS })
  if (header.cut === 'octets') throw headerTooBig(octets)
  if (header.cut === 'fields') throw tooManyFields(MAX_FIELDS)
  if (header.fields.some(({ name }) => name.length > MAX_NAME)) throw fieldNameTooLong(MAX_NAME)
  return header
}

/** @throws Refusal, Error */
export async function showHeader(talk: MilterTalk, { fields }: Header): Promise<Step> {
  for (const field of fields.slice(isOwnTrace(fields[0], talk) ? 1 : 0)) {
    // What is no field cannot be told to it.
    if (field.name === '') continue
    const data = fieldData(field, talk.terms('leadingBlanks'))
    const step = await tell(talk, 'L', data, 'noHeaders', 'silentHeaders')
    if (step === 'accept') return step
  }
  return tell(talk, 'N', Buffer.alloc(0), 'noEndOfHeaders', 'silentEndOfHeaders')
}

/**
 * Milters expect the message as the client sent it, without the Received line that this server
 * put in front; no client knows the id in it.
 */
function isOwnTrace(first: HeaderField | undefined, { envelope }: MilterTalk): boolean {
  return first?.is('Received') === true && first.text.includes(` id ${envelope.id}`)
}

/** @param from where the body begins @throws Refusal, Error */
export async function showBody(talk: MilterTalk, message: Message, from: number): Promise<Step> {
  if (talk.terms('noBody')) return 'continue'
  let skip = from
  for await (const chunk of message.open()) {
    const part = chunk.subarray(Math.min(skip, chunk.length))
    skip -= chunk.length - part.length
    for (let at = 0; at < part.length; at += BODY_BLOCK) {
      const block = withCrLf(part.subarray(at, at + BODY_BLOCK))
      const step = await tell(talk, 'B', block, 'noBody', 'silentBody')
      if (step !== 'continue') return step
    }
  }
  return 'continue'
}

/** Says it if the milter wants to hear of it, and waits for the answer if it gives one. */
async function tell(
  { wire, terms }: MilterTalk,
  command: string,
  data: Buffer,
  unwanted: Term,
  silent: Term,
): Promise<Step> {
  if (terms(unwanted)) return 'continue'
  await wire.send(command, data)
  return terms(silent) ? 'continue' : stepReply(wire)
}

/** Values that its next step may look up. */
function macros({ wire }: MilterTalk, step: string, values: Record<string, string>): Promise<void> {
  return wire.send('D', Buffer.concat([Buffer.from(step), texts(...Object.entries(values).flat())]))
}

function clientMacros({ envelope }: MilterTalk): Record<string, string> {
  const { address } = envelope.client
  return { '{client_addr}': address, '{client_name}': bracketed(address) }
}

function userMacros({ envelope }: MilterTalk): Record<string, string> {
  const { user } = envelope.client
  return user === null ? {} : { '{auth_authen}': user }
}

function mailParameters({ declaredSize, eightBit, smtputf8 }: Envelope): string[] {
  return [
    ...(declaredSize === null ? [] : [`SIZE=${declaredSize}`]),
    ...(eightBit ? ['BODY=8BITMIME'] : []),
    ...(smtputf8 ? ['SMTPUTF8'] : []),
  ]
}

/** Name, family, port, address. Names are not looked up here, and the port is not known. */
function connection(address: string): Buffer {
  const family = { 0: 'U', 4: '4', 6: '6' }[isIP(address) as 0 | 4 | 6]
  const name = texts(bracketed(address))
  if (family === 'U') return Buffer.concat([name, Buffer.from(family)])
  return Buffer.concat([name, Buffer.from(family), Buffer.alloc(2), texts(address)])
}

function bracketed(address: string): string {
  return address === '' ? 'localhost' : `[${address}]`
}

function fieldData({ name, value }: HeaderField, leadingBlanks: boolean): Buffer {
  const blank = value[0] === SPACE && !leadingBlanks ? 1 : 0
  const shown = value.subarray(blank, MAX_VALUE)
  return Buffer.concat([texts(name), shown, Buffer.alloc(1)])
}

/** Each ends in NUL. None holds one: envelopes have no control characters. */
function texts(...values: readonly string[]): Buffer {
  return Buffer.from(values.map((value) => `${value}\0`).join(''))
}

/** A milter sees a body as it was on the wire: signatures are made over that. */
function withCrLf(block: Buffer): Buffer {
  const wire = Buffer.allocUnsafe(block.length * 2)
  let length = 0
  for (const byte of block) {
    if (byte === LF) wire[length++] = CR
    wire[length++] = byte
  }
  return wire.subarray(0, length)
}
