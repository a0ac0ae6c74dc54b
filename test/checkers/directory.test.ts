import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DirectoryChecker } from '../../src/checkers/directory.js'
import { hashPassword, UnusableHash } from '../../src/checkers/passwords.js'
import { Slots } from '../../src/checkers/slots.js'
import { LoginUnavailable } from '../../src/cred/errors.js'
import { MemoryDirectory } from '../../src/directory/memory.js'
import { checkerContract, withPassword, withSecret } from '../contracts/checker.js'
import { plant } from '../helpers/domain-tree.js'

const users = { alice: '{PLAIN}Wonderland ' }
const alice = 'alice@example.com'

checkerContract('DirectoryChecker on memory', () => {
  const directory = new MemoryDirectory({ users: { [alice]: users.alice } })
  return new DirectoryChecker(directory, new Slots())
})

checkerContract('DirectoryChecker on files', async () => {
  const { directory } = await plant({ domains: { 'example.com': { users } } })
  await directory.scanSecrets()
  return new DirectoryChecker(directory, new Slots())
})

describe('DirectoryChecker', () => {
  const on = (passwords: Record<string, string>): DirectoryChecker =>
    new DirectoryChecker(new MemoryDirectory({ users: passwords }), new Slots())

  it('completes a bare name with the default domain', async () => {
    const checker = on({ [alice]: 'x' })
    expect(await checker.requestAvatarId(withPassword('Alice', 'x'))).toBe(alice)
  })

  it('takes challenges only while somebody stores a secret', async () => {
    expect(on({ [alice]: await hashPassword('x') }).kinds).toEqual(['password'])
    const both = { [alice]: 'x', 'bob@example.com': await hashPassword('x') }
    for (const passwords of [{ [alice]: 'x' }, both]) {
      expect(on(passwords).kinds).toEqual(['password', 'secret'])
    }
  })

  it('knows a hashed password, which no challenge can use', async () => {
    const checker = on({ [alice]: await hashPassword('x') })
    expect(await checker.requestAvatarId(withPassword(alice, 'x'))).toBe(alice)
    expect(await checker.requestAvatarId(withPassword(alice, 'y'))).toBeNull()
    expect(await checker.requestAvatarId(withSecret(alice, 'x'))).toBeNull()
    expect(await checker.requestAvatarId(withSecret(alice, '(no secret)'))).toBeNull()
  })

  it('lets nobody in with a disabled login or a disabled account', async () => {
    const tree = await plant({ domains: { 'example.com': { users: { bob: '!' } } } })
    await writeFile(
      tree.userFile('example.com', 'alice'),
      'password = "{PLAIN}x"\ndisabled = true\n',
    )
    const checker = new DirectoryChecker(tree.directory, new Slots())
    for (const password of ['x', '!', '']) {
      expect(await checker.requestAvatarId(withPassword(alice, password))).toBeNull()
      expect(await checker.requestAvatarId(withPassword('bob@example.com', password))).toBeNull()
    }
    expect(await checker.requestAvatarId(withSecret(alice, 'x'))).toBeNull()
  })

  it('does not say no when it cannot tell', async () => {
    const tree = await plant({ domains: { 'example.com': { users } } })
    const checker = new DirectoryChecker(tree.directory, new Slots())
    await rename(join(tree.root, 'example.com'), join(tree.root, 'unmounted'))
    await expect(checker.requestAvatarId(withPassword(alice, 'x'))).rejects.toThrow(/ENOENT/)
    await expect(
      on({ [alice]: '$6$salt$hash' }).requestAvatarId(withPassword(alice, 'x')),
    ).rejects.toThrow(UnusableHash)
  })

  it('makes everybody wait for the same slots: wrong, unknown, disabled and in clear', async () => {
    const slots = new Slots({ running: 1, waiting: 0, patience: 1 })
    const directory = new MemoryDirectory({
      users: { [alice]: 'x', 'bob@example.com': '!', 'eve@example.com': await hashPassword('x') },
    })
    const checker = new DirectoryChecker(directory, slots)
    let free = (): void => {}
    const busy = slots.run(() => new Promise<void>((resolve) => (free = resolve)))
    for (const name of ['alice', 'bob', 'eve', 'ghost', 'not an address']) {
      await expect(checker.requestAvatarId(withPassword(name, 'x'))).rejects.toThrow(
        LoginUnavailable,
      )
    }
    free()
    await busy
    expect(await checker.requestAvatarId(withPassword('eve', 'x'))).toBe('eve@example.com')
  })
})
