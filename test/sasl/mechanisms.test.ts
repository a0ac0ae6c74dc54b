/** Which mechanisms there are on a connection, and the simple ones in action. */
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NamedCredentials, SecretCredentials } from '../../src/cred/credentials.js'
import { decodeBase64 } from '../../src/sasl/base64.js'
import { parseCramMd5 } from '../../src/sasl/cram-md5.js'
import { type Exchange, MAX_RESPONSE, type Turn } from '../../src/sasl/exchange.js'
import type { Surroundings } from '../../src/sasl/mechanism.js'
import { type Allowed, beginExchange, offeredMechanisms } from '../../src/sasl/mechanisms.js'
import { parsePlain } from '../../src/sasl/plain.js'
import { base64, peer, plainText, respond, surroundings } from './surroundings.js'

const ALL: Allowed = { plaintext: true, secrets: true, accepts: (kind) => kind !== 'bearer' }

function begin(name: string, more: Partial<Surroundings> = {}): Exchange {
  const exchange = beginExchange(name, ALL, surroundings(more))
  if (exchange === null) throw new Error(`${name} is not offered`)
  return exchange
}

const login = (credentials: Partial<NamedCredentials>) => ({ kind: 'login', credentials })
const refused = (fault: string) => ({ kind: 'refused', fault })
const plain = (text: string): Promise<Turn> => begin('PLAIN').begin(base64(text))

describe('the mechanisms offered', () => {
  const binding = {
    channelBinding: (type: string) => (type === 'tls-unique' ? peer : null) as never,
  }
  const offered = (allowed: Partial<Allowed>, more: Partial<Surroundings> = {}) =>
    offeredMechanisms({ ...ALL, ...allowed }, surroundings(more)).join(' ')

  test('are the strongest first', () => {
    expect(offered({}, binding)).toBe('SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN')
  })

  test('are those that the connection allows and somebody can judge', () => {
    expect(offered({})).toBe('SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN')
    expect(offered({ plaintext: false })).toBe('SCRAM-SHA-256 CRAM-MD5')
    expect(offered({ secrets: false })).toBe('SCRAM-SHA-256 PLAIN LOGIN')
    expect(offered({ accepts: (kind) => kind === 'password' }, binding)).toBe('PLAIN LOGIN')
    expect(offered({ accepts: () => false })).toBe('')
  })

  test('are the only ones that begin, in any case', () => {
    expect(beginExchange('plain', ALL, surroundings())).not.toBeNull()
    for (const name of ['PLAIN', 'LOGIN']) {
      expect(beginExchange(name, { ...ALL, plaintext: false }, surroundings())).toBeNull()
    }
    for (const name of ['', 'SCRAM-SHA-256-PLUS', 'ANONYMOUS', 'EXTERNAL', 'constructor']) {
      expect(beginExchange(name, ALL, surroundings())).toBeNull()
    }
  })
})

describe('an exchange', () => {
  test.each(['AAA', 'AAAA=', '=AAA', 'AAA=BBB=', 'AA A', 'AAB=', 'A-_A', 'AAAA\r', '', ' ', '*'])(
    'takes %j for no initial response',
    async (text) => {
      expect(await begin('PLAIN').begin(text)).toMatchObject(refused('malformed'))
    },
  )

  test('takes = for an empty initial response, and only there', async () => {
    expect(await begin('PLAIN').begin('=')).toMatchObject(refused('malformed'))
    expect(await begin('LOGIN').take(Buffer.from('='))).toMatchObject(refused('malformed'))
  })

  test('ends with a star', async () => {
    const exchange = begin('PLAIN')
    expect(await exchange.begin(null)).toEqual({ kind: 'challenge', text: '' })
    expect(await exchange.take(Buffer.from('*'))).toMatchObject(refused('cancelled'))
  })

  test('takes no longer lines than RFC 4954 allows', async () => {
    const exchange = begin('PLAIN')
    await exchange.begin(null)
    expect(await exchange.take(Buffer.alloc(MAX_RESPONSE + 4, 'A'))).toMatchObject(
      refused('malformed'),
    )
  })

  test('takes any bytes without breaking', async () => {
    const names = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256']
    const lines = fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        lines,
        fc.boolean(),
        async (name, all, encode) => {
          const exchange = begin(name)
          await exchange.begin(null)
          for (const line of all) {
            const bytes = encode ? Buffer.from(base64(Buffer.from(line))) : Buffer.from(line)
            const turn = await exchange.take(bytes)
            expect(['challenge', 'login', 'refused']).toContain(turn.kind)
            if (turn.kind !== 'challenge') break
          }
        },
      ),
    )
  })

  test('reads base64 exactly as it is written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        expect(decodeBase64(base64(Buffer.from(bytes)))).toEqual(Buffer.from(bytes))
      }),
    )
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const bytes = decodeBase64(text)
        if (bytes !== null) expect(base64(bytes)).toBe(text)
      }),
    )
  })
})

describe('PLAIN', () => {
  test.each(['\0tim\0tanstaaftanstaaf', 'tim\0tim\0tanstaaftanstaaf'])('takes %j', async (text) => {
    expect(await plain(text)).toMatchObject(
      login({ kind: 'password', username: 'tim', password: 'tanstaaftanstaaf', peer }),
    )
  })

  test('takes every script', async () => {
    expect(await plain('\0jörg@example.com\0grün €')).toMatchObject(
      login({ username: 'jörg@example.com', password: 'grün €' }),
    )
  })

  test('lets nobody act as somebody else', async () => {
    for (const other of ['Ursel', 'TIM', 'tim@example.com', ' tim']) {
      expect(await plain(`${other}\0tim\0x`)).toMatchObject(refused('unauthorized'))
    }
  })

  test.each([
    '',
    'tim',
    '\0tim',
    'tim\0x',
    '\0\0',
    '\0tim\0',
    '\0\0x',
    '\0tim\0x\0',
    '\0tim\0x\0y',
    '\0\0\0\0',
    '\0t\nim\0x',
    '\0tim\0x\r\n',
    '\0tim\0\u200e',
    '\u0007\0tim\0x',
    `\0${'t'.repeat(513)}\0x`,
    `\0tim\0${'x'.repeat(1025)}`,
  ])('refuses %j', async (text) => {
    expect(await plain(text)).toMatchObject(refused('malformed'))
  })

  test('reads what a client writes', () => {
    const word = fc.stringMatching(/^[ -~]{1,30}$/)
    fc.assert(
      fc.property(word, word, (username, password) => {
        expect(parsePlain(Buffer.from(`\0${username}\0${password}`))).toEqual({
          authorizeAs: null,
          username,
          password,
        })
      }),
    )
  })
})

describe('LOGIN', () => {
  test('asks for the name, then for the password', async () => {
    const exchange = begin('LOGIN')
    expect(await exchange.begin(null)).toEqual({ kind: 'challenge', text: 'VXNlcm5hbWU6' })
    expect(await respond(exchange, 'tim')).toEqual({ kind: 'challenge', text: 'UGFzc3dvcmQ6' })
    expect(await respond(exchange, 'x y')).toMatchObject(
      login({ kind: 'password', username: 'tim', password: 'x y' }),
    )
  })

  test('takes the name as initial response, as many clients send it', async () => {
    const exchange = begin('LOGIN')
    expect(await exchange.begin(base64('tim'))).toMatchObject({ text: 'UGFzc3dvcmQ6' })
    expect(await respond(exchange, 'x')).toMatchObject(login({ username: 'tim' }))
  })

  test('refuses an empty name and an empty password', async () => {
    expect(await begin('LOGIN').begin('=')).toMatchObject(refused('malformed'))
    const exchange = begin('LOGIN')
    await exchange.begin(base64('tim'))
    expect(await respond(exchange, '')).toMatchObject(refused('malformed'))
  })
})

describe('CRAM-MD5', () => {
  // RFC 2195 section 2; its challenge is <1896.697170952@postoffice.reston.mci.net>.
  const example = { hostname: 'postoffice.reston.mci.net', nonce: () => '1896.697170952' }

  test('does what RFC 2195 section 2 shows', async () => {
    const exchange = begin('CRAM-MD5', example)
    const first = await exchange.begin(null)
    expect(first).toMatchObject({ kind: 'challenge' })
    expect(plainText((first as { text: string }).text)).toBe(
      '<1896.697170952@postoffice.reston.mci.net>',
    )
    const turn = await respond(exchange, 'tim b913a602c7eda7a495b4e6e7334d3890')
    expect(turn).toMatchObject(login({ kind: 'secret', username: 'tim' }))
    const { verify } = (turn as { credentials: SecretCredentials }).credentials
    expect([verify('tanstaaftanstaaf'), verify('Tanstaaftanstaaf'), verify('')]).toEqual([
      true,
      false,
      false,
    ])
    expect(exchange.proof()).toBeNull()
  })

  test('speaks first', async () => {
    expect(await begin('CRAM-MD5').begin('=')).toMatchObject(refused('malformed'))
  })

  test.each(['', 'tim', ` ${'0'.repeat(32)}`, `tim ${'0'.repeat(31)}`, `tim ${'G'.repeat(32)}`])(
    'refuses %j',
    async (text) => {
      const exchange = begin('CRAM-MD5')
      await exchange.begin(null)
      expect(await respond(exchange, text)).toMatchObject(refused('malformed'))
    },
  )

  test('reads names with spaces', () => {
    const name = fc.stringMatching(/^[!-~][ -~]{0,30}$/)
    fc.assert(
      fc.property(name, fc.string(), (username, secret) => {
        const digest = createHmac('md5', 'key').update(secret).digest()
        const response = Buffer.from(`${username} ${digest.toString('hex')}`)
        expect(parseCramMd5(response)).toEqual({ username, digest })
      }),
    )
  })
})
