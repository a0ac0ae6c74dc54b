import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Dialogue } from '../../src/net/dialogue.js'
import type { Answer, Session } from '../../src/net/session.js'
import { Pop3Stage } from '../helpers/pop3-stage.js'
import { collect } from './streams.js'

const ALICE = 'alice@example.com'

function stage(count = 3): Pop3Stage {
  const made = new Pop3Stage()
  made.users.add(ALICE, 'secret')
  made.direct({
    kind: 'directive',
    name: 'many',
    rest: `${ALICE} ${count}`,
    block: Buffer.alloc(0),
  })
  return made
}

async function say(session: Session, line: string): Promise<string> {
  return text(await session.command(Buffer.from(line)))
}

async function text(answer: Answer): Promise<string> {
  const body = answer.body === undefined ? Buffer.alloc(0) : await collect(answer.body)
  return Buffer.concat([answer.head, body]).toString('latin1')
}

async function login(session: Session): Promise<void> {
  await say(session, `USER ${ALICE}`)
  expect(await say(session, 'PASS secret')).toMatch(/^\+OK/)
}

describe('a POP3 session whose connection goes away', () => {
  test('during the login gives the mailbox back when the login comes through', async () => {
    const world = stage()
    let checked = () => {}
    world.users.slow = new Promise((resolve) => (checked = resolve))
    const session = world.open()
    await say(session, `USER ${ALICE}`)
    const answer = session.command(Buffer.from('PASS secret'))
    const closed = session.closed()
    checked()
    await Promise.all([answer, closed])
    expect(world.events.map(({ event }) => event)).toEqual(['pop3 login', 'pop3 logout'])
    expect([...world.users.held]).toEqual([])
  })

  test('during QUIT finishes the removal before it gives the mailbox back', async () => {
    const world = stage()
    const session = world.open()
    await login(session)
    await say(session, 'DELE 2')
    const answer = session.command(Buffer.from('QUIT'))
    await session.closed()
    expect(world.ask(`mailbox ${ALICE}`)).toBe('M1 M3')
    expect([...world.users.held]).toEqual([])
    expect(await text(await answer)).toBe('+OK bye, 1 messages removed\r\n')
  })

  test('before any login leaves nothing behind', async () => {
    const world = stage()
    await world.open().closed()
    expect(world.events).toEqual([])
  })
})

describe('a POP3 session whose mailbox goes to a newer login', () => {
  async function loggedIn() {
    const world = stage()
    const session = world.open()
    const ended: string[] = []
    session.connected?.(() => ended.push('hung up'))
    await login(session)
    return { world, session, ended }
  }

  test('ends at once, without a word, when it is idle', async () => {
    const { world, session, ended } = await loggedIn()
    world.users.takeOver(ALICE)
    expect(ended).toEqual(['hung up'])
    expect(await session.command(Buffer.from('NOOP'))).toMatchObject({ then: 'close' })
    expect(await say(session, 'NOOP')).toBe('')
  })

  test('still answers the command that is being carried out, and nothing after it', async () => {
    const { world, session, ended } = await loggedIn()
    await say(session, 'DELE 1')
    const answer = session.command(Buffer.from('RETR 2'))
    world.users.takeOver(ALICE)
    expect(ended).toEqual([])
    expect(await answer).toMatchObject({ then: 'close' })
    expect(await text(await answer)).toMatch(/^\+OK 14 octets\r\n/)
    expect(await say(session, 'QUIT')).toBe('')
    await session.closed()
    expect(world.ask(`mailbox ${ALICE}`)).toBe('M1 M2 M3')
  })
})

describe('a POP3 session', () => {
  test('frees the mailbox before the client hears that it is over', async () => {
    const world = stage()
    const session = world.open()
    await login(session)
    await session.command(Buffer.from('QUIT'))
    expect([...world.users.held]).toEqual([])
  })

  test('calls a fault that nobody expected "later", logs it and goes on', async () => {
    const world = stage()
    const session = world.open()
    await login(session)
    Object.defineProperty(world.users.store(ALICE), 'unreadable', {
      get: () => {
        throw new Error('disk on fire')
      },
    })
    expect(await say(session, 'RETR 1')).toMatch(/^-ERR \[SYS\/TEMP\] local error/)
    expect(world.events.at(-1)).toMatchObject({
      event: 'pop3 fault',
      fields: { reason: 'disk on fire' },
    })
    expect(await say(session, 'STAT')).toMatch(/^\+OK 3 /)
  })

  test('never logs a password', async () => {
    const world = stage()
    const session = world.open()
    await say(session, `USER ${ALICE}`)
    await say(session, 'PASS hunter2')
    await login(session)
    expect(world.events.length).toBe(2)
    expect(JSON.stringify(world.events)).not.toMatch(/hunter2|secret/)
  })

  test('lists 100,000 messages in chunks that are never large', async () => {
    const session = stage(100_000).open()
    await login(session)
    for (const verb of ['LIST', 'UIDL']) {
      const answer = await session.command(Buffer.from(verb))
      const sizes = [...(answer.body as Iterable<Buffer>)].map((chunk) => chunk.length)
      expect(Math.max(...sizes)).toBeLessThan(70_000)
      const lines = (await text(await session.command(Buffer.from(verb)))).split('\r\n')
      expect(lines.length).toBe(100_003)
      expect(lines[99_999]).toMatch(/^99999 /)
      expect(lines.at(-2)).toBe('.')
    }
  })

  test('answers a hundred thousand commands that come at once, each once (P9)', async () => {
    const world = stage()
    const dialogue = new Dialogue(world.open())
    const many = 100_000
    const commands = `USER ${ALICE}\r\nPASS secret\r\n${'NOOP\r\n'.repeat(many)}QUIT\r\nNOOP\r\n`
    dialogue.push(Buffer.from(commands))
    const heard: string[] = []
    for (let answer = await dialogue.next(); answer !== null; answer = await dialogue.next()) {
      heard.push(String(answer.head))
    }
    expect(heard.length).toBe(2 + many + 1)
    expect(new Set(heard.slice(2, -1))).toEqual(new Set(['+OK still here\r\n']))
    expect(heard.at(-1)).toBe('+OK bye\r\n')
    expect([...world.users.held]).toEqual([])
  })

  test('makes a challenge that no other greeting carries', () => {
    const world = new Pop3Stage()
    world.direct({ kind: 'directive', name: 'apop', rest: '', block: Buffer.alloc(0) })
    world.direct({ kind: 'directive', name: 'real-challenge', rest: '', block: Buffer.alloc(0) })
    const greetings = Array.from({ length: 50 }, () => (world.open().greet() as Answer).head)
    const challenges = greetings.map((head) =>
      /<\d+\.\d+\.[0-9a-f]{16}@[^<>]+>\r\n$/.exec(String(head)),
    )
    expect(new Set(challenges.map((match) => match?.[0])).size).toBe(50)
  })
})

describe('whatever a client sends', () => {
  const verb = fc.constantFrom(
    'USER',
    'PASS',
    'APOP',
    'STAT',
    'LIST',
    'RETR',
    'DELE',
    'NOOP',
    'RSET',
    'TOP',
    'UIDL',
    'CAPA',
    'AUTH',
    'stls',
    'QUIT',
    'GET',
    'ſTAT',
    '',
  )
  const word = fc.constantFrom(
    '1',
    '2',
    '3',
    '4',
    '0',
    '-1',
    ALICE,
    'secret',
    '1 0',
    '',
    '1 9',
    '\0',
  )
  const line = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(verb, word).map(([v, w]) => Buffer.from(w ? `${v} ${w}` : v)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b)) },
  )
  const ANSWER = /^(\+OK|-ERR)[ -~]*\r\n/

  test('every line gets exactly one answer, and no error is thrown', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 40 }), fc.boolean(), async (lines, inside) => {
        const session = stage().open()
        if (inside) await login(session)
        for (const one of lines) {
          const answer = await session.command(one)
          expect(String(answer.head)).toMatch(ANSWER)
          if (answer.body !== undefined) expect(await text(answer)).toMatch(/\r\n\.\r\n$/)
          if (answer.then === 'close') break
        }
        await session.closed()
      }),
      { numRuns: 1000 },
    )
  })

  test('bytes without order get as many answers as they hold lines', async () => {
    const stream = fc.array(fc.oneof(line, fc.constantFrom(Buffer.from('\r\n'), Buffer.from('\n'))))
    await fc.assert(
      fc.asyncProperty(stream, async (parts) => {
        const bytes = Buffer.concat(parts)
        const world = stage()
        const { answers, ended } = await drive(world.open(), bytes)
        const lines = bytes.toString('latin1').split('\n').length - 1
        if (ended) expect(answers).toBeLessThanOrEqual(Math.max(lines, 1))
        else expect(answers).toBe(lines)
        expect([...world.users.held]).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  async function drive(session: Session, bytes: Buffer) {
    const dialogue = new Dialogue(session)
    dialogue.push(bytes)
    let answers = 0
    let ended = false
    for (let answer = await dialogue.next(); answer !== null; answer = await dialogue.next()) {
      answers++
      if (answer.body !== undefined) await collect(answer.body)
      if (answer.then !== undefined) ended = true
      if (ended) break
    }
    await session.closed()
    return { answers, ended }
  }
})
