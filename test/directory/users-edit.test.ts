import { chown, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addAppPassword } from '../../src/directory/app-password-edit.js'
import { underLock } from '../../src/directory/edit-lock.js'
import { Users } from '../../src/directory/users.js'
import { plant, temporaryDirectory } from '../helpers/domain-tree.js'

const DOMAIN = 'example.com'
const hash = `{SSHA512}${Buffer.alloc(80, 1).toString('base64')}`

describe('changes of one user file', () => {
  it('by ten at once lose nothing, and leave nothing behind', async () => {
    const tree = await plant({ domains: { [DOMAIN]: { users: { alice: '{PLAIN}x' } } } })
    const folder = join(tree.root, DOMAIN)
    const add = (name: string) =>
      new Users(folder).edit('alice', (text, path) =>
        addAppPassword(text, { name, hash, protocols: null, expires: null }, path),
      )
    const names = Array.from({ length: 9 }, (_, at) => `a${at}`)
    await Promise.all([...names.map(add), new Users(folder).setPassword('alice', '{PLAIN}y')])
    const user = await tree.users(DOMAIN).read('alice')
    expect(user?.password).toBe('{PLAIN}y')
    expect(user?.appPasswords.map(({ name }) => name).toSorted()).toEqual(names)
    expect(await readdir(join(folder, '.users'))).toEqual(['alice'])
  })

  it('are none where nobody is, or nothing is to be changed', async () => {
    const tree = await plant({ domains: { [DOMAIN]: { users: { alice: '{PLAIN}x' } } } })
    const users = tree.users(DOMAIN)
    expect(await users.edit('bob', () => 'x')).toBe(false)
    expect(await users.edit('alice', () => null)).toBe(false)
    expect(await readFile(users.path('alice'), 'utf8')).toBe('{PLAIN}x\n')
  })

  const root = process.getuid?.() === 0
  it.skipIf(!root)('leave the file to its owner', async () => {
    const tree = await plant({ domains: { [DOMAIN]: { users: { alice: '{PLAIN}x' } } } })
    const users = tree.users(DOMAIN)
    await chown(users.path('alice'), 12_345, 12_346)
    await users.setPassword('alice', '{PLAIN}y')
    expect(await stat(users.path('alice'))).toMatchObject({ uid: 12_345, gid: 12_346 })
  })
})

describe('underLock', () => {
  it('takes over from somebody who died, and not from somebody at work', async () => {
    const folder = await temporaryDirectory()
    const lock = join(folder, '.lock-x')
    await writeFile(lock, 'dead')
    const long = new Date(Date.now() - 60_000)
    await utimes(lock, long, long)
    expect(await underLock(folder, 'x', async (isOurs) => isOurs())).toBe(true)
    expect(await readdir(folder)).toEqual([])
  })

  it('says that the lock is lost, and leaves that of another one alone', async () => {
    const folder = await temporaryDirectory()
    const lock = join(folder, '.lock-x')
    const ours = await underLock(folder, 'x', async (isOurs) => {
      await writeFile(lock, 'another')
      return isOurs()
    })
    expect(ours).toBe(false)
    expect(await readFile(lock, 'utf8')).toBe('another')
  })
})
