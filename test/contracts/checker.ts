/** What every checker with passwords must do. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { AvatarId, Checker } from '../../src/cred/checker.js'
import type { Credentials, Kind, Peer } from '../../src/cred/credentials.js'
import type { UserChecker } from '../../src/checkers/checker-type.js'
import { deriveScram, type ScramChallenge } from '../../src/cred/scram.js'

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

/** Credentials as SCRAM makes them: the client made its proof with that password and that challenge. */
export async function withScram(
  username: string,
  password: string,
  challenge: ScramChallenge,
): Promise<Credentials> {
  const { storedKey } = await deriveScram(password, challenge)
  const verify = (keys: { storedKey: Buffer }): boolean => keys.storedKey.equals(storedKey)
  return { kind: 'scram', peer, username, verify }
}

/**
 * @param make a checker that knows alice@example.com with the password
 * `Wonderland `, kept so that challenges can use it, and nobody else
 * @param kinds what it can judge: challenges are left out where they are none of these
 */
export function checkerContract(
  name: string,
  make: () => Checker | Promise<Checker>,
  kinds: readonly Kind[] = ['password', 'secret', 'scram'],
): void {
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

    it.runIf(kinds.includes('secret'))('knows the right secret behind a challenge', async () => {
      expect((await make()).kinds).toContain('secret')
      expect(await ask(withSecret('Alice@example.com', 'Wonderland '))).toBe('alice@example.com')
      expect(await ask(withSecret('alice@example.com', 'wrong'))).toBeNull()
    })

    const proofs = kinds.includes('scram')
    it.runIf(proofs)(
      'knows a proof of the password, made with the challenge that it gives',
      async () => {
        const checker = await make()
        expect(checker.kinds).toContain('scram')
        const challenge = await checker.scramChallenge!('Alice@example.com')
        expect(challenge).toMatchObject({ known: true, iterations: expect.any(Number) })
        const proven = (username: string, password: string) =>
          withScram(username, password, challenge).then((one) => checker.requestAvatarId(one))
        expect(await proven('alice@EXAMPLE.com', 'Wonderland ')).toBe('alice@example.com')
        expect(await proven('alice@example.com', 'Wonderland ')).toBe('alice@example.com')
        expect(await proven('alice@example.com', 'wonderland ')).toBeNull()
        expect(await proven('bob@example.com', 'Wonderland ')).toBeNull()
      },
    )

    it.runIf(proofs)('gives a name that nobody has the same challenge each time', async () => {
      const checker = await make()
      const challengeOf = async (username: string) => checker.scramChallenge!(username)
      const challenge = await challengeOf('bob@example.com')
      expect(challenge.known).toBe(false)
      expect(challenge.salt).toHaveLength(16)
      for (const username of ['BOB@Example.com', '"bob"@EXAMPLE.com']) {
        expect(await challengeOf(username)).toEqual(challenge)
      }
      const others = ['bob@example.org', 'carol@example.com', 'dave', '', '@', '*', '\0']
      const salts = await Promise.all(
        others.map(async (username) => (await challengeOf(username)).salt.toString('hex')),
      )
      expect(new Set(salts).size).toBe(others.length)
      expect(salts).not.toContain(challenge.salt.toString('hex'))
      const { iterations } = await challengeOf('alice@example.com')
      expect(challenge.iterations).toBe(iterations)
    })

    it('takes nobody for somebody', async () => {
      expect(await ask({ kind: 'anonymous', peer })).toBeNull()
    })
  })
}

/** A checker of that contract that also knows its users. */
export function usersContract(name: string, make: () => UserChecker | Promise<UserChecker>): void {
  describe(`${name} as a user database`, () => {
    it('knows who is there without a password, and who is not', async () => {
      const { users } = await make()
      expect(await users!.find({ local: 'alice', domain: 'example.com' })).toMatchObject({
        disabled: false,
      })
      for (const local of ['bob', '*', '../alice', 'alice)(mail=*', "' OR 1=1 --", 'x'.repeat(64)])
        expect(await users!.find({ local, domain: 'example.com' })).toBeNull()
    })
  })
}

/** What may be wrong with a back end, and a checker that has to do with such a one. */
export type Faults = Readonly<Record<string, () => UserChecker | Promise<UserChecker>>>

/** Whatever is wrong with the back end, nobody hears "wrong password" or "no such user" from it. */
export function faultContract(name: string, faults: Faults): void {
  describe(`${name} with a back end that`, () => {
    it.each(Object.entries(faults))('%s cannot tell', async (_, make) => {
      const checker = await make()
      const credentials = withPassword('alice@example.com', 'Wonderland ')
      await expect(checker.requestAvatarId(credentials)).rejects.toThrow(/\S/)
      if (checker.users === undefined) return
      const asked = checker.users.find({ local: 'alice', domain: 'example.com' })
      await expect(asked).rejects.toThrow(/\S/)
    })
  })
}
