import { execFileSync } from 'node:child_process'
import { createHash, scryptSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { cryptAside } from '../../../src/checkers/schemes/crypt-threads.js'
import { md5State } from '../../../src/checkers/schemes/md5-state.js'
import { piWords } from '../../../src/checkers/schemes/pi.js'
import { readStored } from '../../../src/checkers/schemes/schemes.js'
import { testWith } from '../../helpers/programs.js'

/** True, false, or why it cannot be told. */
async function verify(stored: string, password: string): Promise<boolean | string> {
  const reading = readStored(stored)
  return 'problem' in reading ? reading.problem : reading.matches(password)
}

const VECTORS: [scheme: string, password: string, stored: string][] = [
  ['SHA256-CRYPT', 'Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
  [
    'SHA512-CRYPT',
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  ['BLF-CRYPT', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['BLF-CRYPT', '', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy'],
  [
    'PBKDF2',
    'password',
    '$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44',
  ],
  ['SHA', 'password', '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='],
  ['LDAP-MD5', 'hunter2', '{LDAP-MD5}KrljkMfb40Od500MmwsXZw=='],
  ['PLAIN-MD5', 'hunter2', '{PLAIN-MD5}2ab96390c7dbe3439de74d0c9b0b1767'],
  ['SHA', 'hunter2', '{SHA.HEX}F3BBBD66A63D4BF1747940578EC3D0103530E21D'],
  [
    'CRAM-MD5',
    'hunter2',
    '{CRAM-MD5}60ebd8347e945af7703b0d59d8bfedc236234196f561c057cf5a5d5a6e58304a',
  ],
  [
    'SCRAM-SHA-256',
    'hunter2',
    '{SCRAM-SHA-256}4096,tuN5wGqlxHEc/r986B7VNw==,2Wdz8FK6pM5ikYz5ekmIN5UPzivc33ejEplyoUPSqfQ=,goAO0ef0oI+4cJ78dxJfL5lFrW6hz44Bwx5BRaN7VjA=',
  ],
  [
    'PBKDF2',
    'hunter2',
    '{PBKDF2}$1$NhCFTQ8ctxMP29LR$5000$4100b70ae6ad1328f2a521166ba467694c2b693d',
  ],
]

describe('readStored', () => {
  it.each(VECTORS)('knows %s of %j: %s', async (scheme, password, stored) => {
    expect(readStored(stored)).toMatchObject({ scheme })
    expect(await verify(stored, password)).toBe(true)
    expect(await verify(stored, `${password}x`)).toBe(false)
    expect(await verify(stored, 'Hunter2')).toBe(false)
  })

  it('knows scrypt as passlib writes it, and LDAP’s PBKDF2', async () => {
    const salt = Buffer.from('saltsaltsalt')
    const key = scryptSync('hunter2', salt, 32, { N: 1024, r: 8, p: 2 })
    const [s, k] = [salt, key].map((each) => each.toString('base64').replace(/=+$/, ''))
    expect(await verify(`$scrypt$ln=10,r=8,p=2$${s}$${k}`, 'hunter2')).toBe(true)
    expect(await verify(`$scrypt$ln=10,r=8,p=1$${s}$${k}`, 'hunter2')).toBe(false)
    const stored = VECTORS.find(([name]) => name === 'PBKDF2')![2]
    const rest = stored.replace('$pbkdf2-sha256$', '{PBKDF2-SHA256}')
    expect(await verify(rest, 'password')).toBe(true)
  })

  it('takes crypt(3) behind its names, encoded or not, and no other one behind them', async () => {
    const hash = VECTORS[0]![2]
    const encoded = Buffer.from(hash).toString('base64')
    for (const stored of [`{CRYPT}${hash}`, `{sha256-crypt}${hash}`, `{CRYPT.B64}${encoded}`])
      expect(await verify(stored, 'Hello world!'), stored).toBe(true)
    expect(await verify(`{SHA512-CRYPT}${hash}`, 'x')).toMatch(/broken/)
    expect(await verify(`{BLF-CRYPT}${hash}`, 'x')).toMatch(/broken/)
  })

  const s22 = '.'.repeat(22)
  const key43 = '.'.repeat(43)
  it.each([
    [`$6$rounds=1000001$salt$${'.'.repeat(86)}`, /costs too much; at most rounds=1000000/],
    [`$5$rounds=999999999$salt$${key43}`, /costs too much/],
    [`$2b$15$${s22}${'.'.repeat(31)}`, /costs too much; at most a cost of 14/],
    [`$2b$31$${s22}${'.'.repeat(31)}`, /costs too much/],
    [`$2b$03$${s22}${'.'.repeat(31)}`, /broken/],
    [`$scrypt$ln=30,r=8,p=1$c2FsdA$${'A'.repeat(43)}`, /broken|costs too much/],
    [`$7$zzzzz/zzzzz$salt$${key43}`, /broken/],
    [`$7$zzzzzzzzzzzsalt$${key43}`, /costs too much/],
    [`{PBKDF2}$1$salt$5000001$${'a'.repeat(40)}`, /costs too much/],
    [`{SCRAM-SHA-256}5000001,c2FsdA==,${'A'.repeat(43)}=,${'A'.repeat(43)}=`, /costs too much/],
    [
      '$argon2id$v=19$m=4294967296,t=1000000,p=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ',
      /costs/,
    ],
    [`{SSHA}${Buffer.alloc(20).toString('base64')}`, /broken/],
    [`{SSHA}${Buffer.alloc(149).toString('base64')}`, /broken/],
    [`{SHA}${Buffer.alloc(21).toString('base64')}`, /broken/],
    ['{SHA.B32}aaaa', /broken/],
    [`{SHA}${'A'.repeat(2_000)}`, /too long/],
    ['$constructor$x', /not supported/],
    ['{constructor}x', /not supported/],
    ['{__proto__}x', /no scheme|not supported/],
  ])('does not begin on %s', (stored, problem) => {
    expect(readStored(stored)).toEqual({ problem: expect.stringMatching(problem) })
  })

  it('never throws, never shows what is stored, and never begins on what was cut off', () => {
    const texts = VECTORS.map(([, , stored]) => stored)
    const cut = fc
      .tuple(fc.constantFrom(...texts), fc.nat(), fc.nat())
      .map(([text, from, to]) => text.slice(0, from % text.length) + text.slice(to % text.length))
    const name = fc.constantFrom(
      '{SSHA}',
      '{CRYPT}',
      '{PBKDF2.B64}',
      '$7$',
      '$2b$',
      '$6$',
      '{',
      '$',
    )
    const made = fc.tuple(name, fc.string({ unit: 'binary' })).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(cut, made, fc.string({ unit: 'binary' })), (stored) => {
        const reading = readStored(stored)
        // A few letters of what is stored stand in every sentence.
        const secret = stored.length < 28 ? '\0' : stored.slice(20)
        if ('problem' in reading) expect(reading.problem).not.toContain(secret)
        else expect(reading.matches).toBeTypeOf('function')
      }),
    )
  })
})

describe('what the schemes are made of', () => {
  test('the first digits of pi, as everybody knows them', () => {
    expect([...piWords(3)].map((word) => word.toString(16))).toEqual([
      '243f6a88',
      '85a308d3',
      '13198a2e',
    ])
  })

  test('the state of MD5, from which its digest follows by one more block', () => {
    const empty = Buffer.alloc(64)
    empty[0] = 0x80
    expect(md5State(empty)).toEqual(createHash('md5').digest())
    const text = Buffer.from('message digest')
    const block = Buffer.alloc(64)
    text.copy(block)
    block[text.length] = 0x80
    block.writeUInt32LE(text.length * 8, 56)
    expect(md5State(block)).toEqual(createHash('md5').update(text).digest())
  })

  test('what is no form of crypt(3) fails, and the thread goes on for others', async () => {
    await expect(cryptAside('x', '$6$')).rejects.toThrow(/not a form/)
    const [, password, stored] = VECTORS[0]!
    expect(await cryptAside(password, stored)).toBe(stored)
  })

  test('many at once all come to an end', async () => {
    const [, password, stored] = VECTORS[0]!
    const all = Array.from({ length: 20 }, () => cryptAside(password, stored))
    expect(new Set(await Promise.all(all))).toEqual(new Set([stored]))
  })
})

describe('what other programs make', () => {
  const PASSWORDS = [
    'hunter2',
    'p',
    'ä€ 𝄞 and words',
    'x'.repeat(64),
    'y'.repeat(65),
    'z'.repeat(100),
  ]
  const run = (program: string, ...words: string[]): string =>
    execFileSync(program, words, { encoding: 'utf8' }).trim()
  const crypt = (password: string, setting: string): string =>
    run('perl', '-e', 'print crypt($ARGV[0], $ARGV[1])', password, setting)

  testWith(['doveadm'], 'doveadm pw: every scheme of it that is known here', async () => {
    const left =
      /^(?:DIGEST-MD5|PLAIN-TRUNC|OTP|DES-CRYPT|PLAIN-MD4|LANMAN|NTLM|SKEY|RPA|NS-MTA-MD5)$/
    const clear = /^(?:PLAIN|CLEAR|CLEARTEXT)$/
    const schemes = run('doveadm', 'pw', '-l').split(/\s+/)
    const known = schemes.filter((scheme) => !left.test(scheme) && !clear.test(scheme))
    expect(known.length).toBeGreaterThan(15)
    for (const scheme of known) {
      const stored = run('doveadm', 'pw', '-s', scheme, '-p', 'hunter2')
      expect(await verify(stored, 'hunter2'), stored).toBe(true)
      expect(await verify(stored, 'hunter3'), stored).toBe(false)
    }
    for (const scheme of ['SSHA256.HEX', 'CRAM-MD5.B64', 'SHA512.HEX', 'SHA256-CRYPT.HEX']) {
      const stored = run('doveadm', 'pw', '-s', scheme, '-p', 'hunter2')
      expect(await verify(stored, 'hunter2'), stored).toBe(true)
    }
  })

  testWith(['perl'], 'crypt(3) of this system', async () => {
    const settings = [
      '$1$abcdefgh',
      '$1$a',
      '$5$',
      '$5$rounds=1000$abcdefghijklmnop',
      '$6$abc',
      '$6$rounds=1234$abcdefghijklmnop',
      '$2b$04$abcdefghijklmnopqrstuu',
      '$2y$05$......................',
      '$7$6U..../....saltsalt$',
    ]
    for (const password of PASSWORDS) {
      for (const setting of settings) {
        const stored = crypt(password, setting)
        expect(await verify(stored, password), `${stored} of ${password}`).toBe(true)
        expect(await verify(stored, `q${password}`), stored).toBe(false)
      }
    }
  })

  testWith(['openssl'], 'openssl passwd: also apr1, as htpasswd writes it', async () => {
    for (const password of PASSWORDS) {
      for (const kind of ['-apr1', '-1', '-5', '-6']) {
        const stored = run('openssl', 'passwd', kind, password)
        expect(await verify(stored, password), stored).toBe(true)
      }
    }
  })
})
