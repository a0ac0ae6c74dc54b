/** DNS messages: what we write, what we read, and that no octets do harm. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DnsFormatError, readName } from '../../src/relay/dns-records.js'
import {
  type DnsQuestion,
  encodeQuestion,
  isDnsName,
  parseReply,
} from '../../src/relay/dns-wire.js'
import { cname, ip, mx, nameOctets, replyTo, tlsa, txt } from './dns-stage.js'

const QUESTION: DnsQuestion = { id: 0x1234, name: 'example.com', type: 'MX', edns: true }
const HEADER = 12

function answered(question: DnsQuestion, script: Parameters<typeof replyTo>[1]) {
  return parseReply(replyTo(encodeQuestion(question), script), question)
}

describe('a question', () => {
  test('asks for recursion, signatures and the AD bit', () => {
    const bytes = encodeQuestion(QUESTION)
    expect(bytes.toString('hex')).toBe(
      '123401200001000000000001' + // RD and AD, one question, one additional
        '076578616d706c6503636f6d00000f0001' +
        '00002904d0000080000000', // OPT, 1232 octets, DO
    )
  })

  test('has no additional record without EDNS', () => {
    const bytes = encodeQuestion({ ...QUESTION, edns: false })
    expect(bytes.toString('hex')).toBe('123401200001000000000000076578616d706c6503636f6d00000f0001')
  })

  test.each([
    '',
    '.',
    'a..b',
    'a\0b',
    'ä.example',
    'a b',
    `${'x'.repeat(64)}.de`,
    'x.'.repeat(127),
  ])('is not asked for %j', (name) => {
    expect(isDnsName(name)).toBe(false)
    expect(() => encodeQuestion({ ...QUESTION, name })).toThrow(DnsFormatError)
  })
})

describe('a reply', () => {
  test('says what its records say', () => {
    const records = [mx(10, 'MX.Example.com'), mx(20, '')]
    const reply = answered(QUESTION, { records, signed: true })
    expect(reply).toMatchObject({ truncated: false, rcode: 0, authentic: true })
    expect(reply!.answers).toEqual([
      {
        type: 'MX',
        name: 'example.com',
        ttl: 300,
        data: { preference: 10, exchange: 'mx.example.com' },
      },
      { type: 'MX', name: 'example.com', ttl: 300, data: { preference: 20, exchange: '' } },
    ])
  })

  test.each([
    [ip('192.0.2.1'), '192.0.2.1'],
    [ip('2001:db8::1'), '2001:db8::1'],
    [txt('v=STSv1; ', 'id=1;'), 'v=STSv1; id=1;'],
    [cname('other.example'), 'other.example'],
    [
      tlsa(3, 1, 1, Buffer.alloc(32, 7)),
      { usage: 3, selector: 1, matching: 1, data: Buffer.alloc(32, 7) },
    ],
  ])('knows %j', (record, data) => {
    const reply = answered({ ...QUESTION, type: record.type }, { records: [record] })
    expect(reply!.answers.map((each) => each.data)).toEqual([data])
  })

  test('to another id, name or type, or that is a question, is none of ours', () => {
    const bytes = replyTo(encodeQuestion(QUESTION), { records: [mx(1, 'a.example')] })
    expect(parseReply(bytes, { ...QUESTION, id: 1 })).toBeNull()
    expect(parseReply(bytes, { ...QUESTION, name: 'example.org' })).toBeNull()
    expect(parseReply(bytes, { ...QUESTION, type: 'A' })).toBeNull()
    expect(parseReply(encodeQuestion(QUESTION), QUESTION)).toBeNull()
    expect(parseReply(bytes.subarray(0, 11), QUESTION)).toBeNull()
  })

  test('may leave the question out only to say that it could not read it', () => {
    const bytes = replyTo(encodeQuestion(QUESTION), {}).subarray(0, HEADER)
    bytes.writeUInt16BE(0, 4)
    expect(parseReply(bytes, QUESTION)).toBeNull()
    bytes.writeUInt16BE(0x8181, 2)
    expect(parseReply(bytes, QUESTION)).toMatchObject({ rcode: 1 })
  })

  test('whose records are not what their type asks for is broken', () => {
    const broken = [
      { type: 'A', data: Buffer.alloc(5) },
      { type: 'AAAA', data: Buffer.alloc(4) },
      { type: 'MX', data: Buffer.from([0, 1]) },
      {
        type: 'MX',
        data: Buffer.concat([Buffer.alloc(2), nameOctets('a.example'), Buffer.alloc(1)]),
      },
      { type: 'TXT', data: Buffer.from([9, 65]) },
      { type: 'TLSA', data: Buffer.from([3, 1]) },
      { type: 'CNAME', data: Buffer.alloc(0) },
    ] as const
    for (const record of broken) {
      expect(() => answered(QUESTION, { records: [record] })).toThrow(DnsFormatError)
    }
  })

  test('is broken wherever within its answers it is cut off', () => {
    const bytes = replyTo(encodeQuestion(QUESTION), { records: [mx(10, 'mx.example.com')] })
    const start = HEADER + nameOctets('example.com').length + 4
    for (let end = start; end < bytes.length; end++) {
      expect(() => parseReply(bytes.subarray(0, end), QUESTION)).toThrow(DnsFormatError)
    }
  })
})

describe('a name', () => {
  test('may point to one before it, never forward, to itself, or round and round', () => {
    const bytes = Buffer.concat([nameOctets('example.com'), Buffer.from([2, 109, 120, 0xc0, 0])])
    expect(readName(bytes, 13)).toEqual({ name: 'mx.example.com', next: bytes.length })
    for (const octets of [
      [0xc0, 0],
      [0xc0, 2, 0],
      [1, 97, 0xc0, 0],
      [1, 97, 0xc0, 2],
    ]) {
      expect(() => readName(Buffer.from(octets), 0)).toThrow(DnsFormatError)
    }
    expect(() => readName(Buffer.from([1, 97, 0xc0, 0]), 2)).toThrow(DnsFormatError)
  })

  test('has 255 octets at most, and labels of 63', () => {
    const longest = nameOctets(Array.from({ length: 127 }, () => 'x').join('.'))
    expect(readName(longest, 0).next).toBe(255)
    expect(() => readName(Buffer.concat([Buffer.from([1, 120]), longest]), 0)).toThrow(
      DnsFormatError,
    )
    expect(() => readName(Buffer.concat([Buffer.from([64]), Buffer.alloc(70)]), 0)).toThrow(
      DnsFormatError,
    )
  })

  test('of odd octets is no host name: nothing of it gets through', () => {
    const { name } = readName(Buffer.from([4, 97, 0, 46, 92, 0]), 0)
    expect(name).toBe('a\\000\\046\\092')
    expect(isDnsName(name)).toBe(false)
  })
})

describe('any octets', () => {
  const body = fc.uint8Array({ maxLength: 400 })

  test('as a reply do no other harm than the named error', () => {
    const start = replyTo(encodeQuestion(QUESTION), {})
    fc.assert(
      fc.property(body, fc.nat(0xffff), fc.boolean(), (octets, count, whole) => {
        const bytes = whole ? Buffer.concat([start, octets]) : Buffer.from(octets)
        if (whole) bytes.writeUInt16BE(count, 6)
        try {
          parseReply(bytes, QUESTION)
        } catch (error) {
          expect(error).toBeInstanceOf(DnsFormatError)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('as a name end within its octets, or in the named error', () => {
    fc.assert(
      fc.property(body, fc.nat(400), (octets, at) => {
        try {
          const { name, next } = readName(Buffer.from(octets), at)
          expect(next).toBeLessThanOrEqual(octets.length)
          expect(name).toMatch(/^[a-z0-9_.\\-]*$/)
        } catch (error) {
          expect(error).toBeInstanceOf(DnsFormatError)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('changed in a good reply do no other harm than the named error', () => {
    const good = replyTo(encodeQuestion(QUESTION), {
      records: [mx(10, 'mx1.example.com'), mx(20, 'mx2.example.com'), cname('a.example')],
    })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 5 }),
        (changes) => {
          const bytes = Buffer.from(good)
          for (const [at, octet] of changes) bytes[at] = octet
          try {
            parseReply(bytes, QUESTION)
          } catch (error) {
            expect(error).toBeInstanceOf(DnsFormatError)
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('of a name that can be asked for are read back as they were written', () => {
    const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/)
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 10 }), (labels) => {
        const name = labels.join('.')
        expect(readName(encodeQuestion({ ...QUESTION, name }), HEADER).name).toBe(name)
      }),
    )
  })
})
