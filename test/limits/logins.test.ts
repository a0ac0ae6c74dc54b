import { describe, expect, test } from 'vitest'
import type { NamedCredentials } from '../../src/cred/credentials.js'
import { LoginThrottled } from '../../src/cred/errors.js'
import type { Limiter } from '../../src/limits/limits.js'
import { type FailureLimits, LoginThrottle } from '../../src/limits/logins.js'
import { MemoryLimiter } from '../../src/limits/memory.js'
import { Networks } from '../../src/net/networks.js'
import { keptLog } from '../helpers/kept-log.js'

const MINUTE = 60_000
const NONE: FailureLimits = {
  failuresPerAddress: 0,
  failuresPerNetwork: 0,
  failuresPerUser: 0,
  trusted: new Networks(['198.51.100.0/24']),
}

/** A throttle whose time passes when the test says so, or when it makes somebody wait. */
function made(limits: Partial<FailureLimits>, broken?: Limiter) {
  let time = 5_000
  const now = (): number => time
  const slept: number[] = []
  const log = keptLog()
  const all = { ...NONE, ...limits }
  const throttle = new LoginThrottle({
    limits: () => all,
    limiter: broken ?? new MemoryLimiter({ now }),
    nameOf: (username) => username.toLowerCase(),
    log,
    now,
    sleep: async (milliseconds) => void slept.push(milliseconds),
  })
  const pass = (milliseconds: number): void => void (time += milliseconds)
  return { throttle, pass, slept, log }
}

const from = (address: string, username = 'alice'): NamedCredentials => ({
  kind: 'password',
  peer: { address, port: 4000, protocol: 'smtp', secure: true },
  username,
  password: 'x',
})

type Heard = 'accepted' | 'refused' | 'unknown' | 'later'

/** One login that the checkers say that to, if they are asked. */
async function login(
  throttle: LoginThrottle,
  who: NamedCredentials,
  outcome: Exclude<Heard, 'later'> = 'refused',
): Promise<Heard> {
  try {
    const attempt = await throttle.admit(who)
    await new Promise(setImmediate)
    await attempt.ended(outcome)
    return outcome
  } catch (error) {
    expect(error).toBeInstanceOf(LoginThrottled)
    return 'later'
  }
}

async function inTurn(count: number, one: (n: number) => Promise<Heard>): Promise<Heard[]> {
  const heard: Heard[] = []
  for (let n = 0; n < count; n++) heard.push(await one(n))
  return heard
}

const times = (heard: readonly Heard[], what: Heard): number =>
  heard.filter((each) => each === what).length

describe('guesses from one address (A3)', () => {
  test('are judged ten times in a minute, whomever they are about', async () => {
    const { throttle } = made({ failuresPerAddress: 10 })
    const heard = await inTurn(1_000, (n) => login(throttle, from('192.0.2.1', `user${n % 7}`)))
    expect(times(heard, 'refused')).toBe(10)
    expect(times(heard, 'later')).toBe(990)
    expect(await login(throttle, from('192.0.2.2'))).toBe('refused')
  })

  test('are no more when they come all at once', async () => {
    const { throttle } = made({ failuresPerAddress: 10 })
    const all = Array.from({ length: 200 }, (_, n) => login(throttle, from('192.0.2.1', `u${n}`)))
    expect(times(await Promise.all(all), 'refused')).toBe(10)
  })

  test('of one IPv6 network of 64 bits are those of one address', async () => {
    const { throttle } = made({ failuresPerAddress: 10 })
    const heard = await inTurn(100, (n) => login(throttle, from(`2001:db8::${n}`)))
    expect(times(heard, 'refused')).toBe(10)
  })

  test('have to wait longer and longer', async () => {
    const { throttle, pass } = made({ failuresPerAddress: 10 })
    /** How many are judged in so many minutes if there is one each second. */
    const judged = async (minutes: number): Promise<number> => {
      const heard = await inTurn(minutes * 60, async () => {
        pass(1_000)
        return login(throttle, from('192.0.2.1'))
      })
      return times(heard, 'refused')
    }
    expect(await judged(1)).toBeLessThanOrEqual(20)
    expect(await judged(59)).toBeLessThanOrEqual(50)
    expect(await judged(60)).toBeLessThanOrEqual(31)
    await judged(120)
    expect(await judged(60)).toBeLessThanOrEqual(5)
    pass(24 * 60 * MINUTE)
    expect(await login(throttle, from('192.0.2.1'), 'accepted')).toBe('accepted')
  })

  test('are those of its network, too, which may have more of them', async () => {
    const { throttle } = made({ failuresPerAddress: 10, failuresPerNetwork: 30 })
    const heard = await inTurn(250, (n) => login(throttle, from(`192.0.2.${n}`, `user${n}`)))
    expect(times(heard, 'refused')).toBe(30)
    expect(await login(throttle, from('192.0.3.1'))).toBe('refused')
  })

  test('count only if they were wrong: nobody is blamed for our faults, or for many logins', async () => {
    const { throttle } = made({ failuresPerAddress: 10 })
    const unknown = await inTurn(100, () => login(throttle, from('192.0.2.1'), 'unknown'))
    expect(times(unknown, 'unknown')).toBe(100)
    const office = Array.from({ length: 200 }, (_, n) =>
      login(throttle, from('192.0.2.1', `colleague${n}`), 'accepted'),
    )
    expect(times(await Promise.all(office), 'accepted')).toBe(200)
  })
})

describe('guesses at one user (A3)', () => {
  test('never refuse an address that is clean: it is slow for some seconds at most', async () => {
    const { throttle, slept } = made({ failuresPerAddress: 10, failuresPerUser: 20 })
    const heard = await inTurn(1_000, (n) => login(throttle, from(`10.${n >> 8}.${n & 255}.1`)))
    expect(times(heard, 'refused')).toBe(1_000)
    expect(slept).toHaveLength(980)
    slept.length = 0
    expect(await login(throttle, from('203.0.113.5'), 'accepted')).toBe('accepted')
    expect(slept).toHaveLength(1)
    expect(slept[0]).toBeGreaterThan(0)
    expect(slept[0]).toBeLessThanOrEqual(4_000)
    // Only that user is slow.
    expect(await login(throttle, from('203.0.113.6', 'bob'), 'accepted')).toBe('accepted')
    expect(slept).toHaveLength(1)
  })

  test('do not touch the place where the user has been in the last weeks', async () => {
    const { throttle, slept, pass } = made({ failuresPerAddress: 10, failuresPerUser: 20 })
    await login(throttle, from('203.0.113.5'), 'accepted')
    pass(20 * 24 * 60 * MINUTE)
    await inTurn(100, (n) => login(throttle, from(`10.0.${n}.1`)))
    slept.length = 0
    expect(await login(throttle, from('203.0.113.5', 'ALICE'), 'accepted')).toBe('accepted')
    expect(slept).toEqual([])
    pass(29 * 24 * 60 * MINUTE)
    await inTurn(100, (n) => login(throttle, from(`10.0.${n}.1`)))
    slept.length = 0
    await login(throttle, from('203.0.113.5'), 'accepted')
    expect(slept).toHaveLength(1)
  })

  test('are the same for a name that nobody has: only the name counts', async () => {
    const { throttle, slept } = made({ failuresPerUser: 1 })
    for (const name of ['alice', 'nobody']) {
      await inTurn(3, (n) => login(throttle, from(`10.0.${n}.1`, name)))
    }
    expect(slept.slice(0, 2)).toEqual(slept.slice(2))
  })
})

describe('somebody at home', () => {
  test('is not shut out by whoever guesses from the same address', async () => {
    const { throttle } = made({ failuresPerAddress: 10, failuresPerNetwork: 30 })
    await login(throttle, from('192.0.2.1'), 'accepted')
    await inTurn(100, () => login(throttle, from('192.0.2.1', 'bob')))
    expect(await login(throttle, from('192.0.2.1', 'bob'))).toBe('later')
    expect(await login(throttle, from('192.0.2.1', 'carol'), 'accepted')).toBe('later')
    expect(await login(throttle, from('192.0.2.1'), 'accepted')).toBe('accepted')
  })

  test('begins anew after a login, and pays for further mistakes alone', async () => {
    const { throttle } = made({ failuresPerAddress: 10 })
    await inTurn(9, () => login(throttle, from('192.0.2.1')))
    await login(throttle, from('192.0.2.1'), 'accepted')
    const mistakes = await inTurn(20, () => login(throttle, from('192.0.2.1')))
    expect(times(mistakes, 'refused')).toBe(10)
    expect(await login(throttle, from('192.0.2.1', 'bob'), 'accepted')).toBe('accepted')
  })

  test('cannot clear the way for guesses at others by own logins', async () => {
    const { throttle } = made({ failuresPerAddress: 10 })
    const heard = await inTurn(50, async () => {
      await login(throttle, from('192.0.2.1', 'mallory'), 'accepted')
      return login(throttle, from('192.0.2.1'))
    })
    expect(times(heard, 'refused')).toBe(10)
  })

  test('may have a telephone with an old password', async () => {
    const { throttle, pass } = made({ failuresPerAddress: 10 })
    await login(throttle, from('192.0.2.1'), 'accepted')
    const heard = await inTurn(24 * 60, async () => {
      pass(MINUTE)
      await login(throttle, from('192.0.2.1'))
      return login(throttle, from('192.0.2.1'), 'accepted')
    })
    expect(times(heard, 'accepted')).toBe(24 * 60)
  })
})

describe('nobody is counted', () => {
  const hard = { failuresPerAddress: 1, failuresPerNetwork: 1, failuresPerUser: 1 }

  test.each(['127.0.0.1', '::1', '', '198.51.100.7'])('who is trusted: "%s"', async (address) => {
    const { throttle, slept } = made(hard)
    const heard = await inTurn(10, () => login(throttle, from(address)))
    expect(times(heard, 'refused')).toBe(10)
    expect(slept).toEqual([])
  })

  test('where there is no limit', async () => {
    const { throttle, slept } = made({})
    const heard = await inTurn(100, () => login(throttle, from('192.0.2.1')))
    expect(times(heard, 'refused')).toBe(100)
    expect(slept).toEqual([])
  })

  test('while the counter is broken, and the log tells', async () => {
    const gone = () => Promise.reject(new Error('counter gone'))
    const { throttle, log } = made(hard, { hit: gone, peek: gone })
    expect(await login(throttle, from('192.0.2.1'), 'accepted')).toBe('accepted')
    expect(log.of('limits not counted')).toContainEqual({ reason: 'counter gone' })
  })
})
