import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Target } from '../../src/directory/directory.js'
import { formatEnvelope, parseEnvelope } from '../../src/queue/envelope-file.js'
import type { QueuedRecipient, QueueItem } from '../../src/queue/item.js'
import { Misshapen } from '../../src/queue/shape.js'
import { itemWith } from '../contracts/spool.js'

const word = fc.string({ unit: 'binary', maxLength: 30 })
const whole = fc.nat()
const time = fc.double({ min: 0, max: 8.64e15, noNaN: true }).map((ms) => ms + 0)
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary)
const address = fc.record({ local: word, domain: word })
const target: fc.Arbitrary<Target> = fc.oneof(
  fc.record({
    kind: fc.constant('mailbox' as const),
    user: address,
    quota: maybe(fc.record({ bytes: maybe(whole), messages: maybe(whole) })),
  }),
  fc.record({
    kind: fc.constant('program' as const),
    command: fc.array(word),
    of: address,
    extension: maybe(word),
  }),
  fc.record({
    kind: fc.constantFrom('file' as const, 'maildir' as const),
    path: word,
    of: address,
  }),
  fc.record({
    kind: fc.constant('lmtp' as const),
    endpoint: fc.oneof(
      fc.record({ kind: fc.constant('unix' as const), path: word }),
      fc.record({ kind: fc.constant('tcp' as const), host: word, port: whole }),
    ),
    to: address,
  }),
  fc.record({ kind: fc.constant('discard' as const), of: address }),
  fc.record({ kind: fc.constant('remote' as const), address, of: address }),
)
const recipient = fc.record(
  {
    to: address,
    target,
    from: address,
    notice: maybe(
      fc.record({
        notify: maybe(fc.subarray(['success' as const, 'failure' as const, 'delay' as const])),
        originalRecipient: maybe(word),
      }),
    ),
    state: fc.constantFrom(
      'waiting',
      'delivered',
      'relayed',
      'handed-on',
      'failed',
      'expired',
      'dropped',
    ),
    attempts: whole,
    next: time,
    trouble: maybe(fc.record({ code: whole, status: word, text: word, by: maybe(word), at: time })),
    delayReported: fc.boolean(),
    reported: fc.boolean(),
  },
  {
    noNullPrototype: true,
    requiredKeys: [
      'to',
      'target',
      'notice',
      'state',
      'attempts',
      'next',
      'trouble',
      'delayReported',
      'reported',
    ],
  },
) as fc.Arbitrary<QueuedRecipient>
const item: fc.Arbitrary<QueueItem> = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9]{1,64}$/),
  received: time,
  waitedMs: time,
  from: maybe(address),
  client: fc.record({ address: word, helo: word, secure: fc.boolean(), user: maybe(word) }),
  smtputf8: fc.boolean(),
  eightBit: fc.boolean(),
  requireTls: fc.boolean(),
  reports: maybe(
    fc.record({
      content: maybe(fc.constantFrom('full' as const, 'headers' as const)),
      envelopeId: maybe(word),
    }),
  ),
  size: whole,
  lines: whole,
  held: fc.boolean(),
  recipients: fc.array(recipient, { maxLength: 4 }),
})

test('what was written is read as it was, and is one line', () => {
  fc.assert(
    fc.property(item, (value) => {
      const bytes = formatEnvelope(value)
      expect(parseEnvelope(bytes)).toEqual(structuredClone(value))
      expect(bytes.indexOf(10)).toBe(bytes.length - 1)
    }),
  )
})

test('nothing that was cut is an envelope', () => {
  fc.assert(
    fc.property(item, fc.nat(), (value, at) => {
      const bytes = formatEnvelope(value)
      // Without its LF alone it is whole.
      expect(() => parseEnvelope(bytes.subarray(0, at % (bytes.length - 1)))).toThrow(Misshapen)
    }),
  )
})

test('any bytes at all are an envelope, or one of a later version, or refused', () => {
  const looks = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(`{"version":1,"item":${text}}`)),
  )
  fc.assert(
    fc.property(looks, (bytes) => {
      expect(() => parseEnvelope(Buffer.from(bytes))).toThrow(Misshapen)
    }),
  )
})

test('one octet that changed makes another envelope or none, and never a fault of the reader', () => {
  fc.assert(
    fc.property(item, fc.nat(), fc.nat({ max: 255 }), (value, at, octet) => {
      const bytes = formatEnvelope(value)
      bytes[at % bytes.length] = octet
      try {
        const read = parseEnvelope(bytes)
        if (read !== null) formatEnvelope(read)
      } catch (error) {
        expect(error).toBeInstanceOf(Misshapen)
      }
    }),
  )
})

test('a member that is missing, of another kind or too much is refused, and says where', () => {
  const good = JSON.parse(formatEnvelope(itemWith('A')).toString())
  const spoiled = (change: (item: Record<string, unknown>) => void): Buffer => {
    const copy = structuredClone(good)
    change(copy.item)
    return Buffer.from(JSON.stringify(copy))
  }
  expect(() => parseEnvelope(spoiled((it) => delete it['held']))).toThrow('item: held: ')
  expect(() => parseEnvelope(spoiled((it) => (it['held'] = 1)))).toThrow('item: held: ')
  expect(() => parseEnvelope(spoiled((it) => (it['helb'] = true)))).toThrow('item: it says more')
  expect(() => parseEnvelope(spoiled((it) => (it['id'] = '../A')))).toThrow('item: id: ')
  expect(() => parseEnvelope(spoiled((it) => (it['size'] = -1)))).toThrow('item: size: ')
  expect(() => parseEnvelope(spoiled((it) => (it['recipients'] = {})))).toThrow(
    'item: recipients: ',
  )
})

test('a later version is not broken, an earlier one there never was', () => {
  expect(parseEnvelope(Buffer.from('{"version":2}'))).toBe(null)
  for (const version of ['0', '-1', '1.5', '"2"', 'null', '[2]']) {
    expect(() => parseEnvelope(Buffer.from(`{"version":${version}}`))).toThrow(Misshapen)
  }
})
