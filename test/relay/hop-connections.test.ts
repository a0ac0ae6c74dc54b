import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { scriptedServer } from '../helpers/smtp-script.js'
import {
  connectionsFor,
  handed,
  hopTo,
  inShort,
  MESSAGE,
  outcomesOf,
  workFor,
} from './hop-stage.js'

const WORK = workFor(['a@x.example'])
const EHLO = 'EHLO us.example'

describe('a message for another server', () => {
  it('goes there in two writes: the envelope, then all of the content', async () => {
    const server = await scriptedServer()
    const connections = connectionsFor()
    const work = workFor(['a@x.example', '"b c"@x.example'])
    const [outcome] = outcomesOf(await connections.hand(hopTo(server.port), work, MESSAGE))
    expect(outcome).toEqual({
      refusal: null,
      by: 'mx.test [127.0.0.1]',
      said: '250 2.0.0 taken',
      reportsItself: false,
    })
    expect(server.heard()).toBe(
      [
        EHLO,
        `MAIL FROM:<joe@far.example> SIZE=${MESSAGE.size + MESSAGE.lines}`,
        'RCPT TO:<a@x.example>',
        'RCPT TO:<"b c"@x.example>',
        'DATA',
        'Subject: x\r\n\r\n..dot\r\n...\r\nend\r\n.\r\n',
      ].join('\r\n'),
    )
  })

  it('from a disk goes piece by piece, and is the same', async () => {
    const pieces = ['Subject: x\n', '\n.', 'dot\n.', '.\nend\n'].map((text) => Buffer.from(text))
    const onDisk: Message = {
      size: MESSAGE.size,
      lines: MESSAGE.lines,
      async *open() {
        yield* pieces
      },
    }
    const server = await scriptedServer()
    expect(await handed(hopTo(server.port), WORK, onDisk)).toEqual(['delivered'])
    expect(server.taken).toEqual(['Subject: x\r\n\r\n..dot\r\n...\r\nend'])
    expect(server.heard()).toContain(' BODY=8BITMIME\r\n')
  })

  it('never has a bare CR, nor an end when the disk fails', async () => {
    const server = await scriptedServer()
    const evil = fromBuffer(Buffer.from('a\n\r.\r\nMAIL FROM:<x@y>\n'))
    expect(await handed(hopTo(server.port), WORK, evil)).toEqual([
      '554 5.6.0 the message has a bare CR, which no server may get',
    ])
    expect(server.heard()).not.toContain('MAIL')
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('a\n')
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
    }
    const message = { size: 9, lines: 1, open: broken }
    expect(await handed(hopTo(server.port), WORK, message)).toEqual([
      '451 4.3.0 local error, nothing is lost; try again later',
    ])
    expect(server.taken).toEqual([])
  })

  it('gets an outcome for each recipient', async () => {
    const server = await scriptedServer({
      script: {
        'RCPT TO:<b@x.example>': '550-5.1.1 no such\r\n550 5.1.1 \x1buser\xe4',
        'RCPT TO:<c@x.example>': '450 busy',
        'RCPT TO:<d@x.example>': '552 too many recipients',
        'RCPT TO:<e@x.example>': '530 5.7.0 log in first',
      },
    })
    const to = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@x.example`)
    const outcomes = outcomesOf(
      await connectionsFor().hand(hopTo(server.port), workFor(to), MESSAGE),
    )
    expect(inShort({ kind: 'answered', outcomes })).toEqual([
      'delivered',
      '550 5.1.1 no such ?user?',
      '450 4.0.0 busy',
      '452 4.0.0 too many recipients',
      '451 4.7.0 log in first',
    ])
    expect(outcomes[1]!.said).toBe('550 5.1.1 no such 5.1.1 ?user?')
  })

  it('for a thousand recipients goes out in groups that wait for their answers', async () => {
    const server = await scriptedServer()
    const to = Array.from({ length: 1_000 }, (_, n) => `u${n}@x.example`)
    const outcomes = await handed(hopTo(server.port), workFor(to))
    expect(new Set(outcomes)).toEqual(new Set(['delivered']))
    expect(server.commands()).toHaveLength(1_003)
  })

  it('that nobody is taken for ends with a lone dot where the server wants content all the same', async () => {
    const server = await scriptedServer({
      script: { RCPT: '550 5.1.1 no', '.': '554 5.5.1 nobody' },
    })
    const connections = connectionsFor()
    const hop = hopTo(server.port)
    expect(inShort(await connections.hand(hop, WORK, MESSAGE))).toEqual(['550 5.1.1 no'])
    expect(server.heard()).toMatch(/DATA\r\n\.\r\n/)
    server.change({ RCPT: '250 ok', '.': '250 ok' })
    await expect.poll(server.heard).toMatch(/RSET\r\n$/)
    await expect
      .poll(async () => inShort(await connections.hand(hop, WORK, MESSAGE)))
      .toEqual(['delivered'])
    expect(server.taken).toEqual(['Subject: x\r\n\r\n..dot\r\n...\r\nend'])
  })

  it('asks one by one where pipelining is not offered, and not for DATA when nobody is taken', async () => {
    const script = { EHLO: '250 mx.test', RCPT: '550 5.1.1 no' }
    const server = await scriptedServer({ script })
    expect(await handed(hopTo(server.port))).toEqual(['550 5.1.1 no'])
    expect(server.commands()).not.toContain('DATA')
    const unwilling = await scriptedServer({
      script: { EHLO: '250 mx.test', MAIL: '550 5.7.1 no' },
    })
    expect(await handed(hopTo(unwilling.port))).toEqual(['550 5.7.1 no'])
    expect(unwilling.heard()).not.toContain('RCPT')
    const old = await scriptedServer({ script: { EHLO: '502 5.5.1 what?' } })
    expect(await handed(hopTo(old.port))).toEqual(['delivered'])
    expect(old.commands().slice(0, 3)).toEqual([
      EHLO,
      'HELO us.example',
      'MAIL FROM:<joe@far.example>',
    ])
  })

  it('for an LMTP server gets a reply for each recipient after the dot', async () => {
    const server = await scriptedServer({ script: { '.': '250 2.0.0 one\r\n452 4.2.2 full' } })
    const hop = hopTo(server.port, { protocol: 'lmtp' })
    expect(await handed(hop, workFor(['a@x.example', 'b@x.example']))).toEqual([
      'delivered',
      '452 4.2.2 full',
    ])
    expect(server.commands()[0]).toBe('LHLO us.example')
  })

  it('is not there because of a yes before its end', async () => {
    for (const early of ['354 go\r\n250 2.0.0 early', '354 go\r\n250-2.0.0 half']) {
      const server = await scriptedServer({ script: { DATA: early, '.': { deed: 'stall' } } })
      expect(await handed(hopTo(server.port))).toEqual([
        expect.stringMatching(/^451 4\.5\.0 .*before it is asked/),
      ])
    }
  })

  it('finds an end of its connection in each reply alike, however that came in pieces', async () => {
    const stages = ['hello', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.']
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...stages),
        fc.constantFrom(
          '450-4.2.0 a\r\n450 4.2.0 b',
          '550 5.1.1 no',
          '421 4.3.2 x',
          '250-a\r\n251 b',
          '999 x',
        ),
        fc.integer({ min: 1, max: 30 }),
        async (stage, reply, pieces) => {
          const script = { [stage]: reply, ...(stage === 'EHLO' ? { HELO: reply } : {}) }
          const whole = await scriptedServer({ script })
          const torn = await scriptedServer({ script, pieces })
          expect(await handed(hopTo(torn.port))).toEqual(await handed(hopTo(whole.port)))
          expect(torn.taken).toEqual(whole.taken)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('a connection to another server', () => {
  it('is used again, without RSET after a message that was taken', async () => {
    const server = await scriptedServer()
    const connections = connectionsFor()
    const hop = hopTo(server.port)
    for (let n = 0; n < 3; n++) {
      await expect(connections.hand(hop, WORK, MESSAGE)).resolves.toMatchObject({
        kind: 'answered',
      })
    }
    expect(server.connections).toHaveLength(1)
    expect(server.commands()).not.toContain('RSET')
    await connections.close()
    await expect.poll(() => server.commands().at(-1)).toBe('QUIT')
  })

  it('carries a hundred messages and no more', async () => {
    const server = await scriptedServer()
    const connections = connectionsFor()
    for (let n = 0; n < 101; n++) await connections.hand(hopTo(server.port), WORK, MESSAGE)
    expect(server.taken).toHaveLength(101)
    expect(server.connections).toHaveLength(2)
  })

  it('is not shared by hops with other credentials or demands', async () => {
    const server = await scriptedServer({ script: { EHLO: '250-x\r\n250 AUTH PLAIN' } })
    const connections = connectionsFor()
    const login = (password: string) => ({ kind: 'password', user: 'joe', password }) as const
    for (const hop of [
      hopTo(server.port),
      hopTo(server.port, { login: login('a') }),
      hopTo(server.port, { login: login('b') }),
      hopTo(server.port, { tls: { kind: 'may' } }),
    ])
      expect(inShort(await connections.hand(hop, WORK, MESSAGE))).toEqual(['delivered'])
    expect(server.connections).toHaveLength(4)
  })

  it('that has ended meanwhile costs nothing', async () => {
    const server = await scriptedServer()
    const connections = connectionsFor()
    await connections.hand(hopTo(server.port), WORK, MESSAGE)
    server.connections[0]!.end('421 4.4.2 idle for too long\r\n')
    expect(inShort(await connections.hand(hopTo(server.port), WORK, MESSAGE))).toEqual([
      'delivered',
    ])
    expect(server.taken).toHaveLength(2)
  })

  it.each(['421 4.7.0 too many messages on this connection', null])(
    'that ends at MAIL with %s is replaced once',
    async (said) => {
      const server = await scriptedServer()
      const connections = connectionsFor()
      await connections.hand(hopTo(server.port), WORK, MESSAGE)
      server.change({ MAIL: said ?? { deed: 'drop' } })
      const [result] = inShort(await connections.hand(hopTo(server.port), WORK, MESSAGE))
      expect(result).toMatch(/^unusable 451 4\./)
      expect(server.connections).toHaveLength(2)
      expect(server.taken).toHaveLength(1)
    },
  )

  it('that is lost after the final dot is not replaced: the message is for later', async () => {
    const server = await scriptedServer()
    const connections = connectionsFor()
    await connections.hand(hopTo(server.port), WORK, MESSAGE)
    server.change({ '.': { deed: 'drop' } })
    const [result] = inShort(await connections.hand(hopTo(server.port), WORK, MESSAGE))
    expect(result).toMatch(/^451 4\.4\.2 /)
    expect(server.connections).toHaveLength(1)
  })

  it('is given up when nothing more comes for it', async () => {
    const server = await scriptedServer()
    const connections = connectionsFor({ idleMs: 50 })
    await connections.hand(hopTo(server.port), WORK, MESSAGE)
    await expect.poll(() => server.commands().at(-1)).toBe('QUIT')
  })

  it('that cannot be made says so', async () => {
    const [refused] = await handed(hopTo(1))
    expect(refused).toBe('unusable 451 4.4.1 ECONNREFUSED (connecting)')
    const [name] = await handed(hopTo(25, { address: null, name: '127.1' }))
    expect(name).toMatch(/^unusable 451 4\.3\.5 /)
  })
})
