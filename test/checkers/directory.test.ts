import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DirectoryChecker } from '../../src/checkers/directory.js'
import { hashPassword, UnusableHash } from '../../src/checkers/passwords.js'
import { Slots } from '../../src/checkers/slots.js'
import { LoginUnavailable } from '../../src/cred/errors.js'
import { MemoryDirectory } from '../../src/directory/memory.js'
import { formatScram, newScramRecord } from '../../src/cred/scram.js'
import { checkerContract, withPassword, withScram, withSecret } from '../contracts/checker.js'
import { plant } from '../helpers/domain-tree.js'
import { ESCAPING_USERS } from '../helpers/path-vectors.js'

const users = { alice: '{PLAIN}Wonderland ' }
const alice = 'alice@example.com'
const SECRET = Buffer.alloc(32, 1)

checkerContract('DirectoryChecker on memory', () => {
  const directory = new MemoryDirectory({ users: { [alice]: users.alice } })
  return new DirectoryChecker(directory, new Slots(), SECRET)
})

checkerContract('DirectoryChecker on files', async () => {
  const { directory } = await plant({ domains: { 'example.com': { users } } })
  await directory.scanSecrets()
  return new DirectoryChecker(directory, new Slots(), SECRET)
})

describe('DirectoryChecker', () => {
  const on = (passwords: Record<string, string>): DirectoryChecker =>
    new DirectoryChecker(new MemoryDirectory({ users: passwords }), new Slots(), SECRET)

  it('completes a bare name with the default domain', async () => {
    const checker = on({ [alice]: 'x' })
    expect(await checker.requestAvatarId(withPassword('Alice', 'x'))).toBe(alice)
  })

  it('takes a challenge as soon as an account can use it', async () => {
    const tree = await plant({ domains: { 'example.com': { users: { bob: '$argon2id$x' } } } })
    await tree.directory.scanSecrets()
    expect(tree.directory.secrets()).toBe('none')
    const checker = new DirectoryChecker(tree.directory, new Slots(), SECRET)
    await tree.users('example.com').add('alice', '{PLAIN}x')
    expect(checker.kinds).toContain('secret')
    expect(await checker.requestAvatarId(withSecret(alice, 'x'))).toBe(alice)
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
    const checker = new DirectoryChecker(tree.directory, new Slots(), SECRET)
    for (const password of ['x', '!', '']) {
      expect(await checker.requestAvatarId(withPassword(alice, password))).toBeNull()
      expect(await checker.requestAvatarId(withPassword('bob@example.com', password))).toBeNull()
    }
    expect(await checker.requestAvatarId(withSecret(alice, 'x'))).toBeNull()
  })

  it('does not say no when it cannot tell', async () => {
    const tree = await plant({ domains: { 'example.com': { users } } })
    const checker = new DirectoryChecker(tree.directory, new Slots(), SECRET)
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
    const checker = new DirectoryChecker(directory, slots, SECRET)
    let free = (): void => {}
    const busy = slots.run(() => new Promise<void>((resolve) => (free = resolve)))
    for (const name of ['alice', 'bob', 'eve', 'ghost', 'not an address']) {
      await expect(checker.requestAvatarId(withPassword(name, 'wrong'))).rejects.toThrow(
        LoginUnavailable,
      )
    }
    free()
    await busy
    expect(await checker.requestAvatarId(withPassword('eve', 'x'))).toBe('eve@example.com')
  })
})

describe('a login name that leads out of the domain (E5)', () => {
  const DOMAIN = 'example.com'

  /** Files that would be users with the password x if a name were taken for a path. */
  async function trap(): Promise<DirectoryChecker> {
    const world = { domains: { [DOMAIN]: { users: { alice: '{PLAIN}y' } } }, defaultDomain: DOMAIN }
    const tree = await plant(world)
    await mkdir(join(tree.root, 'etc'))
    await mkdir(tree.userFile(DOMAIN, 'a'))
    for (const path of [
      'etc/passwd',
      'x',
      `${DOMAIN}/x`,
      `${DOMAIN}/.users/a/b`,
      `${DOMAIN}/.users/..x`,
    ]) {
      await writeFile(join(tree.root, path), '{PLAIN}x\n', { mode: 0o600 })
    }
    return new DirectoryChecker(tree.directory, new Slots(), SECRET)
  }

  it.each(ESCAPING_USERS)('is nobody, however the client proves itself: %j', async (path) => {
    const checker = await trap()
    const name = path.replace('local', DOMAIN)
    expect(await checker.requestAvatarId(withPassword(name, 'x'))).toBeNull()
    expect(await checker.requestAvatarId(withSecret(name, 'x'))).toBeNull()
    const challenge = await checker.scramChallenge(name)
    expect(challenge.known).toBe(false)
    expect(await checker.requestAvatarId(await withScram(name, 'x', challenge))).toBeNull()
  })
})

describe('SCRAM in a user file', () => {
  const DOMAIN = 'example.com'
  const stage = async (text: string) => {
    const tree = await plant({ domains: { [DOMAIN]: {} } })
    await writeFile(tree.userFile(DOMAIN, 'alice'), text, { mode: 0o600 })
    await tree.directory.scanSecrets()
    return { tree, checker: new DirectoryChecker(tree.directory, new Slots(), SECRET) }
  }
  const file = async (password: string, more = ''): Promise<string> => {
    const scram = formatScram(await newScramRecord(password))
    return `password = "${await hashPassword(password)}"\nscram = "${scram}"\n${more}`
  }
  const prove = async (checker: DirectoryChecker, password: string) => {
    const challenge = await checker.scramChallenge(alice)
    return checker.requestAvatarId(await withScram(alice, password, challenge))
  }

  it('serves a user whose password is a hash', async () => {
    const { checker } = await stage(await file('x'))
    expect(await prove(checker, 'x')).toBe(alice)
    expect(await prove(checker, 'y')).toBeNull()
    expect(await checker.requestAvatarId(withPassword(alice, 'x'))).toBe(alice)
  })

  it('serves nobody whose login is locked or disabled, and looks as if nobody were there', async () => {
    const locked = (await file('x')).replace('"$argon2id', '"!$argon2id')
    for (const text of [locked, await file('x', 'disabled = true\n')]) {
      const { checker } = await stage(text)
      expect((await checker.scramChallenge(alice)).known).toBe(false)
      expect(await prove(checker, 'x')).toBeNull()
    }
  })

  it('knows the new password at once, and the old one no more', async () => {
    const { checker, tree } = await stage('{PLAIN}old\n')
    expect(await prove(checker, 'old')).toBe(alice)
    await writeFile(tree.userFile(DOMAIN, 'alice'), '{PLAIN}new\n', { mode: 0o600 })
    expect(await prove(checker, 'old')).toBeNull()
    expect(await prove(checker, 'new')).toBe(alice)
  })

  it('does not say no to keys that are broken', async () => {
    const { checker } = await stage(`password = "$argon2id$x"\nscram = "SCRAM-SHA-256$1:x"\n`)
    await expect(checker.scramChallenge(alice)).rejects.toThrow(UnusableHash)
    await expect(prove(checker, 'x')).rejects.toThrow(/broken/)
  })

  it('makes the keys of one secret once, however many ask at a time', async () => {
    const slots = new Slots({ running: 1, waiting: 0, patience: 1 })
    const directory = new MemoryDirectory({ users: { [alice]: 'x' } })
    const checker = new DirectoryChecker(directory, slots, SECRET)
    const proofs = Array.from({ length: 5 }, () => prove(checker, 'x'))
    expect(await Promise.all(proofs)).toEqual(Array.from({ length: 5 }, () => alice))
  })

  it('gives other made-up salts on another server', async () => {
    const directory = new MemoryDirectory({ users: {} })
    const salt = async (secret: number) => {
      const checker = new DirectoryChecker(directory, new Slots(), Buffer.alloc(32, secret))
      return (await checker.scramChallenge(alice)).salt
    }
    expect(await salt(1)).not.toEqual(await salt(2))
    expect(await salt(1)).toEqual(await salt(1))
  })
})

describe('a password that can be typed in two ways', () => {
  it('is one password, hashed or in clear', async () => {
    const [composed, decomposed] = ['gr\u00fcn', 'gru\u0308n']
    for (const stored of [await hashPassword(composed), decomposed]) {
      const directory = new MemoryDirectory({ users: { [alice]: stored } })
      const checker = new DirectoryChecker(directory, new Slots(), SECRET)
      for (const typed of [composed, decomposed]) {
        expect(await checker.requestAvatarId(withPassword(alice, typed))).toBe(alice)
      }
    }
  })
})
