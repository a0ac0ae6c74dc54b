/** One checker that hangs, and the users of another one behind the same portal. */
import { expect, test } from 'vitest'
import { LoginUnavailable } from '../../src/cred/errors.js'
import { Portal } from '../../src/cred/portal.js'
import type { Realm } from '../../src/cred/realm.js'
import { withPassword } from '../contracts/checker.js'
import { badServer, check, privateFile } from './stage.js'

const realm: Realm<{ mailbox: string }> = {
  requestAvatar: async (id) => ({ id, avatar: id, logout: async () => {} }),
}

test('a checker that hangs is left alone after a few tries, and nobody else waits for it', async () => {
  let asked = 0
  const port = await badServer(() => asked++)
  const file = await privateFile('carol:{PLAIN}secret\n')
  const portal = new Portal(realm, [
    check(`http:http://127.0.0.1:${port}/;timeout=1`),
    check(`file:${file}`),
  ])
  const login = (name: string, password: string) =>
    portal.login(withPassword(name, password), 'mailbox')
  const first = await Promise.all(
    Array.from({ length: 5 }, () => login('carol@example.com', 'secret')),
  )
  expect(first.map(({ id }) => id)).toEqual(Array.from({ length: 5 }, () => 'carol@example.com'))
  expect(asked).toBe(5)
  for (let i = 0; i < 20; i++) await login('carol@example.com', 'secret')
  expect(asked).toBe(5)
  // Whether the other one knows better, nobody can tell: so it is no wrong password.
  await expect(login('carol@example.com', 'wrong')).rejects.toThrow(LoginUnavailable)
})
