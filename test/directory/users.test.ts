import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { countTargets as count, plant } from '../helpers/domain-tree.js'

const DOMAIN = 'example.com'
const bob = { local: 'bob', domain: DOMAIN }
const alice = { local: 'alice', domain: DOMAIN }
const oneDomain = () => ({ domains: { [DOMAIN]: { users: { alice: '{PLAIN}x' } } } })

describe('administration', () => {
  it('makes a user once, readable by its owner alone, and leaves nothing else behind', async () => {
    const tree = await plant(oneDomain())
    const users = tree.users(DOMAIN)
    await users.add('Bob', '{PLAIN}y')
    expect((await stat(tree.userFile(DOMAIN, 'bob'))).mode & 0o777).toBe(0o600)
    await expect(users.add('bob', '{PLAIN}z')).rejects.toMatchObject({ code: 'EEXIST' })
    expect(await tree.directory.user(bob)).toMatchObject({ password: '{PLAIN}y' })
    expect((await readdir(join(tree.root, DOMAIN, '.users'))).toSorted()).toEqual(['alice', 'bob'])
  })

  it('makes the database with its first user', async () => {
    const tree = await plant({ domains: { [DOMAIN]: {} } })
    await rm(join(tree.root, DOMAIN, '.users'), { recursive: true })
    await tree.users(DOMAIN).add('bob', '!')
    expect((await stat(join(tree.root, DOMAIN, '.users'))).mode & 0o777).toBe(0o700)
    expect(await count(tree, bob)).toBe(1)
  })

  it('changes a password and removes a user', async () => {
    const tree = await plant(oneDomain())
    const users = tree.users(DOMAIN)
    expect(await users.setPassword('ALICE', '{PLAIN}new')).toBe(true)
    expect(await tree.directory.user(alice)).toMatchObject({ password: '{PLAIN}new' })
    expect(await users.setPassword('bob', '!')).toBe(false)
    expect(await users.remove('Alice')).toBe(true)
    expect(await users.remove('alice')).toBe(false)
    expect(await tree.directory.user(alice)).toBeNull()
  })
})
