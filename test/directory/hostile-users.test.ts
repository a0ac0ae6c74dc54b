/** A8: what a user file must not be, and how many of them there may be. */
import { chmodSync, linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { plant, temporaryDirectory } from '../helpers/domain-tree.js'
import { testUnless } from '../helpers/programs.js'
import { trace, untraceable } from '../maildir/traced.js'

const DOMAIN = 'example.com'
const alice = { local: 'alice', domain: DOMAIN }
const MANY = 100_000
/** Names of one file: ext4 takes 65,000. */
const LINKS = 50_000
const FILE = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)

async function aliceIn() {
  const tree = await plant({ domains: { [DOMAIN]: { users: { alice: '{PLAIN}x' } } } })
  return { tree, file: tree.userFile(DOMAIN, 'alice') }
}

describe('a user file', () => {
  it('that is a link is not followed: that means "cannot tell", not "wrong password"', async () => {
    const { tree, file } = await aliceIn()
    renameSync(file, `${tree.root}/elsewhere`)
    symlinkSync(`${tree.root}/elsewhere`, file)
    await expect(tree.directory.user(alice)).rejects.toThrow(/ELOOP/)
  })

  it('that all may read is refused with what to do about it', async () => {
    const { tree, file } = await aliceIn()
    for (const path of [file, join(file, '..'), join(tree.root, DOMAIN)]) {
      chmodSync(path, path === file ? 0o644 : 0o755)
    }
    await expect(tree.directory.user(alice)).rejects.toThrow(`chmod 600 ${file}`)
  })

  it.each([
    ['empty', ''],
    ['cut off in its table', 'password = "{PLAIN}x'],
  ])('that is %s says that it cannot tell', async (_, text) => {
    const { tree, file } = await aliceIn()
    await writeFile(file, text)
    await expect(tree.directory.user(alice)).rejects.toThrow(file)
  })

  it('that is edited counts at once, and never half of it', async () => {
    const { tree, file } = await aliceIn()
    for (let i = 0; i < 200; i++) {
      writeFileSync(`${file}.new`, `{PLAIN}${'y'.repeat(1 + (i % 7))}`, { mode: 0o600 })
      renameSync(`${file}.new`, file)
      const user = await tree.directory.user(alice)
      expect(user?.password).toBe(`{PLAIN}${'y'.repeat(1 + (i % 7))}`)
    }
  })

  const root = process.getuid?.() === 0
  it.skipIf(!root)('that is neither ours nor of whoever has the folder is refused', async () => {
    const { tree, file } = await aliceIn()
    await chown(file, 12_345, 12_345)
    await expect(tree.directory.user(alice)).rejects.toThrow(`${file}: belongs to somebody else`)
    await expect(tree.directory.resolve(alice)).rejects.toThrow(/somebody else/)
    await chown(join(file, '..'), 12_345, 12_345)
    expect(await tree.directory.user(alice)).not.toBeNull()
  })
})

/** The calls on the domain that a login makes, of a user who is there and of one who is not. */
function callsOf(root: string): string[] {
  const path = join(root, DOMAIN)
  const script = `{
    const { FilesDirectory } = await import(${FILE('../../src/directory/files.ts')})
    const { silent } = await import(${FILE('../../src/log/log.ts')})
    const domains = { ${JSON.stringify(DOMAIN)}: { path: ${JSON.stringify(path)},
      aliases: ${JSON.stringify(join(path, '.aliases'))}, bounceToPostmaster: false } }
    const directory = new FilesDirectory({ domains, defaultDomain: null, log: silent })
    for (const local of ['alice', 'nobody'])
      console.log((await directory.user({ local, domain: ${JSON.stringify(DOMAIN)} })) !== null)
  }`
  const { printed, calls } = trace(script, `${path}/`)
  expect(printed).toBe('true\nfalse\n')
  return calls.map(
    ({ name, text }) =>
      `${name} ${text.replaceAll(root, '').replace(/<.*?>/g, '').replace(/ += /, ' = ')}`,
  )
}

describe('a login', () => {
  testUnless(
    untraceable(),
    `asks the disk the same with one user and with ${MANY} users in the domain`,
    async () => {
      const root = await temporaryDirectory()
      const users = join(root, DOMAIN, '.users')
      mkdirSync(users, { recursive: true, mode: 0o700 })
      writeFileSync(join(users, 'alice'), '{PLAIN}x', { mode: 0o600 })
      const alone = callsOf(root)
      expect(alone.length).toBeGreaterThan(0)
      let first = ''
      for (let i = 0; i < MANY; i++) {
        const path = join(users, `user${i}`)
        if (i % LINKS !== 0) linkSync(first, path)
        else writeFileSync((first = path), '{PLAIN}y', { mode: 0o600 })
      }
      expect(callsOf(root)).toEqual(alone)
    },
    120_000,
  )
})
