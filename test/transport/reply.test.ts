import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../src/transport/faults.js'
import { extensionsOf, type Reply, ReplyParser } from '../../src/transport/reply.js'

describe('the replies of a server', () => {
  const replies = (text: string, size = text.length): Reply[] => {
    const parser = new ReplyParser()
    const bytes = Buffer.from(text, 'latin1')
    const found: Reply[] = []
    for (let at = 0; at < bytes.length; at += size)
      found.push(...parser.push(bytes.subarray(at, at + size)))
    return found
  }

  it('are the same byte by byte', () => {
    const text = '220 hi\r\n250-a\r\n250-b c\r\n250 d\r\n354\r\n'
    expect(replies(text)).toEqual([
      { code: 220, lines: ['hi'] },
      { code: 250, lines: ['a', 'b c', 'd'] },
      { code: 354, lines: [''] },
    ])
    expect(replies(text, 1)).toEqual(replies(text))
  })

  it.each([
    'hello\r\n',
    '99 x\r\n',
    '600 x\r\n',
    '250x\r\n',
    '250-a\r\n251 b\r\n',
    '\r\n',
    '2500 x\r\n',
  ])('are none of LMTP when they are %j', (text) => {
    expect(() => replies(text)).toThrow(ProtocolError)
  })

  it('name extensions in any case, the first line left out', () => {
    const found = extensionsOf({ code: 250, lines: ['SIZE me', 'size 10', 'Pipelining', ''] })
    expect([...found]).toEqual([
      ['SIZE', '10'],
      ['PIPELINING', ''],
      ['', ''],
    ])
  })

  it('of any kind are replies or an error, nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('2', '50', '-', ' ', '\r', '\n', '250 x\r\n', 'é', '\0')),
        (parts) => {
          try {
            replies(parts.join(''), 3)
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError)
          }
        },
      ),
    )
  })
})
