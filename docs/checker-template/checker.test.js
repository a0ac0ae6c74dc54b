/** Run with `npm test`; it needs nothing but Node. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createChecker } from './checker.js'

let folder
let checker

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checker-'))
  const file = join(folder, 'people.json')
  const people = { 'alice@example.com': { password: 'Wonderland ', quota: '2GB' } }
  await writeFile(file, JSON.stringify(people), { mode: 0o600 })
  const addressOf = async (name) => (name.includes('@') ? name.toLowerCase() : null)
  checker = createChecker({ argument: file, addressOf })
})
after(() => rm(folder, { recursive: true }))

const ask = (username, password) =>
  checker.requestAvatarId({ kind: 'password', username, password })

test('yes: the right password', async () => {
  assert.equal(await ask('Alice@example.com', 'Wonderland '), 'alice@example.com')
})

test('no: another password, another name, no name at all', async () => {
  assert.equal(await ask('alice@example.com', 'wonderland'), null)
  assert.equal(await ask('bob@example.com', 'Wonderland '), null)
  assert.equal(await ask('constructor', ''), null)
})

test('users are known without a password', async () => {
  assert.deepEqual(await checker.findUser('alice@example.com'), { quota: '2GB', disabled: false })
  assert.equal(await checker.findUser('bob@example.com'), null)
})

test('cannot tell: the file is gone', async () => {
  await rm(join(folder, 'people.json'))
  await assert.rejects(ask('alice@example.com', 'Wonderland '))
})
