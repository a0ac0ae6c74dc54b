/** What every checker with passwords must do. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { AvatarId, Checker } from '../../src/cred/checker.js'
import type { Credentials, Peer } from '../../src/cred/credentials.js'

const peer: Peer = { address: '192.0.2.1', port: 4000, protocol: 'pop3', secure: false }

export const withPassword = (username: string, password: string): Credentials => ({
  kind: 'password',
  peer,
  username,
  password,
})

/** Credentials as APOP makes them: the client's digest came from `known`. */
export function withSecret(username: string, known: string): Credentials {
  const digest = (secret: string): Buffer => createHash('md5').update(`<1@x>${secret}`).digest()
  const sent = digest(known)
  return {
    kind: 'secret',
    peer,
    username,
    verify: (secret) => timingSafeEqual(digest(secret), sent),
  }
}

/**
 * @param make a checker that knows alice@example.com with the password
 * `Wonderland `, kept so that challenges can use it, and nobody else
 */
export function checkerContract(name: string, make: () => Checker | Promise<Checker>): void {
  const ask = async (credentials: Credentials): Promise<AvatarId | null> =>
    (await make()).requestAvatarId(credentials)

  describe(`${name} as a checker`, () => {
    it('knows the right password, however the name is written', async () => {
      for (const username of ['alice@example.com', 'ALICE@Example.COM', '"alice"@example.com']) {
        expect(await ask(withPassword(username, 'Wonderland '))).toBe('alice@example.com')
      }
    })

    it.each([
      ['another case', 'wonderland '],
      ['a missing space', 'Wonderland'],
      ['a longer one', 'Wonderland  '],
      ['nothing', ''],
      ['more after a NUL', 'Wonderland \0'],
      ['the stored form', '{PLAIN}Wonderland '],
      ['an endless one', 'W'.repeat(2_000_000)],
    ])('says no to %s', async (_, password) => {
      expect(await ask(withPassword('alice@example.com', password))).toBeNull()
    })

    it.each([
      'bob@example.com',
      'alice@example.org',
      '',
      '@',
      '../alice@example.com',
      'alice\0@example.com',
      'alice@example.com\r\n',
      'constructor@example.com',
      '%s',
      '*',
    ])('says no to %j, and does not fail', async (username) => {
      expect(await ask(withPassword(username, 'Wonderland '))).toBeNull()
      expect(await ask(withSecret(username, 'Wonderland '))).toBeNull()
    })

    it('knows the right secret behind a challenge', async () => {
      expect((await make()).kinds).toContain('secret')
      expect(await ask(withSecret('Alice@example.com', 'Wonderland '))).toBe('alice@example.com')
      expect(await ask(withSecret('alice@example.com', 'wrong'))).toBeNull()
    })

    it('takes nobody for somebody', async () => {
      expect(await ask({ kind: 'anonymous', peer })).toBeNull()
    })
  })
}
