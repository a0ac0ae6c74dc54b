import { describe, expect, test } from 'vitest'
import type { Peer } from '../../src/cred/credentials.js'
import { LoginInUse, LoginTooSoon } from '../../src/cred/errors.js'
import type { Login, Realm } from '../../src/cred/realm.js'
import type { Avatars } from '../../src/mail/avatars.js'
import { PacedRealm } from '../../src/realm/paced.js'

const peer: Peer = { address: '192.0.2.1', port: 1, protocol: 'pop3', secure: false }

function stage(seconds: number) {
  const seen = { time: 0, asked: 0, busy: false, delay: seconds }
  const inner: Realm<Avatars> = {
    requestAvatar: async <A extends keyof Avatars>(id: string) => {
      seen.asked++
      if (seen.busy) throw new LoginInUse('held')
      return { id, avatar: {}, logout: async () => {} } as Login<Avatars[A]>
    },
  }
  const realm = new PacedRealm(inner, { delay: () => seen.delay, now: () => seen.time })
  return { seen, mailbox: (id: string) => realm.requestAvatar(id, 'mailbox', peer), realm }
}

describe('a paced realm', () => {
  test('opens a mailbox again when the delay is over, and does not touch it before', async () => {
    const { seen, mailbox } = stage(10)
    await mailbox('alice')
    seen.time = 9_999
    await expect(mailbox('alice')).rejects.toThrow(LoginTooSoon)
    expect(seen.asked).toBe(1)
    seen.time = 10_000
    expect((await mailbox('alice')).id).toBe('alice')
  })

  test('makes each user wait alone, and for mailboxes only', async () => {
    const { mailbox, realm } = stage(10)
    await mailbox('alice')
    await mailbox('bob')
    await realm.requestAvatar('alice', 'sender', peer)
    await realm.requestAvatar('alice', 'sender', peer)
    await expect(mailbox('bob')).rejects.toThrow(LoginTooSoon)
  })

  test('counts only logins that succeeded', async () => {
    const { seen, mailbox } = stage(10)
    seen.busy = true
    await expect(mailbox('alice')).rejects.toThrow(LoginInUse)
    seen.busy = false
    await mailbox('alice')
  })

  test('makes nobody wait where there is no delay', async () => {
    const { seen, mailbox } = stage(0)
    await mailbox('alice')
    await mailbox('alice')
    seen.delay = 5
    await mailbox('alice')
    await expect(mailbox('alice')).rejects.toThrow(LoginTooSoon)
  })
})
