import { describe, expect, test } from 'vitest'
import { ANONYMOUS, type AvatarId, type Checker } from '../../src/cred/checker.js'
import type { Credentials, Kind, Peer } from '../../src/cred/credentials.js'
import { LoginRefused, LoginThrottled, LoginUnavailable } from '../../src/cred/errors.js'
import { Portal } from '../../src/cred/portal.js'
import type { Realm } from '../../src/cred/realm.js'
import type { Throttle } from '../../src/cred/throttle.js'

type Things = { readonly name: string }

const peer: Peer = { address: '192.0.2.1', port: 1, protocol: 'test', secure: false }
const realm: Realm<Things> = {
  requestAvatar: async (id) => ({ id, avatar: `avatar of ${id}`, logout: async () => {} }),
}

/** A checker that says the same to everybody, and counts how often it was asked. */
function checker(
  verdict: AvatarId | null | Error,
  kinds: readonly Kind[] = ['password'],
): Checker & { asked: number } {
  return {
    asked: 0,
    kinds,
    async requestAvatarId() {
      this.asked++
      if (verdict instanceof Error) throw verdict
      return verdict
    },
  }
}

const password: Credentials = { kind: 'password', peer, username: 'alice', password: 'x' }
const login = (...checkers: Checker[]) => new Portal(realm, checkers).login(password, 'name')

describe('Portal', () => {
  test('lets the realm make the avatar of who a checker knows', async () => {
    expect(await login(checker('alice@example.com'))).toMatchObject({
      id: 'alice@example.com',
      avatar: 'avatar of alice@example.com',
    })
  })

  test('asks the next checker after a "no", and none after a "yes"', async () => {
    const last = checker('other')
    const { id } = await login(checker(null), checker('alice'), last)
    expect(id).toBe('alice')
    expect(last.asked).toBe(0)
  })

  test('refuses when every checker said no, and when there is none', async () => {
    await expect(login(checker(null), checker(null))).rejects.toThrow(LoginRefused)
    await expect(login()).rejects.toThrow(LoginRefused)
  })

  test('one checker that cannot tell makes a "no" of the others uncertain', async () => {
    const broken = checker(new Error('database away'))
    await expect(login(broken, checker(null))).rejects.toThrow(LoginUnavailable)
    await expect(login(checker(null), broken)).rejects.toThrow(LoginUnavailable)
    expect((await login(broken, checker('alice'))).id).toBe('alice')
  })

  test('sends a checker no credentials that it does not know', async () => {
    const other = checker('alice', ['secret'])
    await expect(login(other)).rejects.toThrow(LoginRefused)
    expect(other.asked).toBe(0)
    expect(new Portal(realm, [other]).accepts('password')).toBe(false)
    expect(new Portal(realm, [other]).accepts('secret')).toBe(true)
  })

  test('lets the anonymous in without asking anybody', async () => {
    const asked = checker(null)
    const portal = new Portal(realm, [asked])
    expect((await portal.login({ kind: 'anonymous', peer }, 'name')).id).toBe(ANONYMOUS)
    expect(asked.asked).toBe(0)
  })

  test('asks no checker for somebody who has guessed too often, and tells how each login ended', async () => {
    const ends: string[] = []
    const throttle: Throttle = {
      admit: async () => ({ ended: async (outcome) => void ends.push(outcome) }),
    }
    const judged = (said: AvatarId | null | Error) =>
      new Portal(realm, [checker(said)], throttle).login(password, 'name').catch(() => null)
    for (const said of ['alice', null, new Error('away')]) await judged(said)
    await new Portal(realm, [], throttle).login({ kind: 'anonymous', peer }, 'name')
    expect(ends).toEqual(['accepted', 'refused', 'unknown'])
    const full: Throttle = { admit: () => Promise.reject(new LoginThrottled('later')) }
    const asked = checker('alice')
    await expect(new Portal(realm, [asked], full).login(password, 'name')).rejects.toThrow(
      LoginThrottled,
    )
    expect(asked.asked).toBe(0)
  })

  test('takes a nameless id from no checker: it would be a stranger with a password', async () => {
    await expect(login(checker(ANONYMOUS))).rejects.toThrow(LoginRefused)
  })
})

describe('what a proof needs to know first', () => {
  const answer = (known: boolean, salt: string) => ({
    known,
    salt: Buffer.from(salt),
    iterations: 4096,
  })
  const scram = (said: ReturnType<typeof answer> | Error): Checker => ({
    ...checker(null, ['scram']),
    async scramChallenge() {
      if (said instanceof Error) throw said
      return said
    },
  })
  const ask = (...checkers: Checker[]) => new Portal(realm, checkers).scramChallenge('alice')

  test('is what the first checker says that knows the name', async () => {
    const two = [scram(answer(false, 'a')), checker('x'), scram(answer(true, 'b'))]
    expect((await ask(...two)).salt.toString()).toBe('b')
  })

  test('is something else if nobody knows it, the same each time', async () => {
    const two = [scram(answer(false, 'a')), scram(answer(false, 'b'))]
    expect((await ask(...two)).salt.toString()).toBe('a')
  })

  test('cannot be told while a checker cannot tell', async () => {
    const broken = scram(new Error('away'))
    await expect(ask(broken, scram(answer(false, 'a')))).rejects.toThrow(LoginUnavailable)
    expect((await ask(broken, scram(answer(true, 'b')))).salt.toString()).toBe('b')
  })

  test('is nothing where no checker takes such proofs', async () => {
    await expect(ask(checker('x'))).rejects.toThrow(LoginRefused)
  })
})
