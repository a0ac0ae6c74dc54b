import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  BadPassword,
  burn,
  hashPassword,
  isOutdated,
  passwordProblem,
  schemeOf,
  UnusableHash,
  verifyPassword,
} from '../../src/checkers/passwords.js'

/** Hashes of `x`, made by argon2 itself with little memory, so that they take little time. */
const ID =
  '$argon2id$v=19$m=1024,t=2,p=1$Z43CaqDlOsndLXlCkfza3g$LzcSruOV3GJSLi5pDRzwdtPCvLIUmejsumvm5IzuSko'
const I =
  '$argon2i$v=19$m=1024,t=2,p=1$EpDk7N/B/G61wckpkunSYQ$VX1bL2v6nQIEnOdzSYrgFLog9cY7zFS3IyCSPz3WQ6s'
/** Of `hunter2`. */
const D =
  '$argon2d$v=19$m=1024,t=2,p=1$/zjwWNfPKAzcpzu2vR9oVg$H9dGhSNnx1ES6Pbuq8++rCwX+p16nQbUY/HDHTDAkAg'
const SALT_AND_HASH = 'c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ'

async function complaint(stored: string): Promise<string> {
  const error: unknown = await verifyPassword(stored, 'hunter2').catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UnusableHash)
  return (error as UnusableHash).message
}

describe('hashPassword', () => {
  it('makes argon2id with 19 MiB, two passes, one lane and a salt of its own', async () => {
    const [one, other] = [await hashPassword('x'), await hashPassword('x')]
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(one).not.toBe(other)
    expect(await verifyPassword(one, 'x')).toBe(true)
    expect(await verifyPassword(one, 'X')).toBe(false)
  })

  it.each([
    ['nothing', ''],
    ['a NUL', 'a\0b'],
    ['1,025 bytes', `${'é'.repeat(512)}x`],
  ])('refuses %s', async (_, password) => {
    await expect(hashPassword(password)).rejects.toThrow(BadPassword)
  })

  it('takes 1,024 bytes of UTF-8', async () => {
    const password = 'é'.repeat(512)
    expect(await verifyPassword(await hashPassword(password), password)).toBe(true)
  })
})

describe('verifyPassword', () => {
  it('knows argon2i and argon2id, with and without a scheme before them', async () => {
    for (const stored of [ID, I, `{ARGON2ID}${ID}`, `{ARGON2I}${I}`, `{argon2id}${ID}`]) {
      expect(await verifyPassword(stored, 'x')).toBe(true)
      expect(await verifyPassword(stored, 'y')).toBe(false)
    }
  })

  it('knows passwords stored in clear', async () => {
    for (const stored of ['{PLAIN}pä$$ ', '{CLEARTEXT}pä$$ ', '{plain}pä$$ ']) {
      expect(await verifyPassword(stored, 'pä$$ ')).toBe(true)
      expect(await verifyPassword(stored, 'pä$$')).toBe(false)
    }
  })

  it('knows passwords stored in clear and encoded', async () => {
    for (const stored of ['{PLAIN.B64}cMOkJCQg', '{CLEAR.HEX}70C3a4242420']) {
      expect(await verifyPassword(stored, 'pä$$ ')).toBe(true)
      expect(await verifyPassword(stored, 'pä$$')).toBe(false)
    }
  })

  it('takes a hash of the text as it was typed as well as one of the prepared text', async () => {
    const typed = 'cafe\u0301'
    for (const hashed of [typed, 'caf\u00e9']) {
      const stored = `{SHA256}${createHash('sha256').update(hashed).digest('base64')}`
      expect(await verifyPassword(stored, typed)).toBe(true)
    }
  })

  it('says no to what can be nobody’s password, without looking at the stored form', async () => {
    for (const password of ['', 'a\0', 'x'.repeat(1_025)]) {
      expect(await verifyPassword('{PLAIN}x', password)).toBe(false)
    }
  })

  it.each([
    ['$6$rounds=5000$salt$hash', 'the stored hash is broken'],
    ['$2y$10$abcdef', 'the stored hash is broken'],
    ['{SHA512-CRYPT}$5$x', 'the stored {SHA512-CRYPT} password is broken'],
    ['$y$j9T$abcdefgh$9WNEpu8Mx2S4KNGv', 'the scheme $y$ (yescrypt) is not supported'],
    ['{LANMAN}aabb', 'the scheme {LANMAN} is not supported'],
    ['{PLAIN.B64}?', 'the stored {PLAIN.B64} password is broken'],
    ['{PLAIN}', 'the stored {PLAIN} password is broken'],
    ['$argon2id$v=19$m=1$x', 'the stored $argon2id$ password is broken'],
    ['{ARGON2ID}hunter2', 'the stored {ARGON2ID} password is broken'],
    ['hunter2', 'the stored password has no scheme; make one with: mailtap hash'],
  ])('cannot tell from %j, and says why', async (stored, message) => {
    expect(await complaint(stored)).toBe(message)
  })

  it('cannot tell from argon2d', async () => {
    expect(await complaint(D)).toBe('the scheme $argon2d$ is not supported')
  })

  it.each(['m=262145,t=1,p=1', 'm=4294967295,t=1,p=1', 'm=1024,t=17,p=1', 'm=1024,t=1,p=9'])(
    'does not begin on a hash with %s (A9)',
    async (parameters) => {
      const stored = `$argon2id$v=19$${parameters}$${SALT_AND_HASH}`
      expect(await complaint(stored)).toMatch(/^the stored hash costs too much; at most m=262144/)
    },
  )

  it.each(['m=0,t=1,p=1', 'm=1024,t=0,p=1', 'm=1024,t=1,p=0'])(
    'calls a hash with %s broken',
    async (parameters) => {
      const stored = `$argon2id$v=19$${parameters}$${SALT_AND_HASH}`
      expect(await complaint(stored)).toBe('the stored hash is broken')
    },
  )
})

describe('burn', () => {
  it('works for every password and says nothing', async () => {
    for (const password of ['x', '', 'a\0', 'x'.repeat(2_000)]) {
      expect(await burn(password)).toBeUndefined()
    }
  })
})

describe('isOutdated', () => {
  it('is what is worse than a new hash, and never what was chosen for challenges', async () => {
    const better = `$argon2id$v=19$m=65536,t=3,p=1$${SALT_AND_HASH}`
    for (const stored of [await hashPassword('x'), better, '{PLAIN}x', 'hunter2', '$y$x'])
      expect(isOutdated(stored), stored).toBe(false)
    const context = `{CRAM-MD5}${'00'.repeat(32)}`
    const keys = `{SCRAM-SHA-256}4096,c2FsdA==,${'A'.repeat(43)}=,${'A'.repeat(43)}=`
    for (const stored of [context, keys]) expect(isOutdated(stored), stored).toBe(false)
    expect([passwordProblem(context), passwordProblem(keys)]).toEqual([null, null])
    for (const stored of [ID, I, `{SHA}${Buffer.alloc(20).toString('base64')}`])
      expect(isOutdated(stored), stored).toBe(true)
  })

  it('names the scheme as Dovecot does', () => {
    expect([schemeOf(ID), schemeOf('{CLEAR}x'), schemeOf('x')]).toEqual(['ARGON2ID', 'PLAIN', null])
  })
})
