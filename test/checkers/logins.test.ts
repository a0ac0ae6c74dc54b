/** Logins on user files: remembered ones, app passwords, passwords barred from protocols, hashes made new. */
import { readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { newAppPassword } from '../../src/checkers/app-passwords.js'
import { DirectoryChecker } from '../../src/checkers/directory.js'
import { newLogin } from '../../src/checkers/new-login.js'
import { hashPassword } from '../../src/checkers/passwords.js'
import { Slots } from '../../src/checkers/slots.js'
import type { PasswordCredentials } from '../../src/cred/credentials.js'
import { addAppPassword } from '../../src/directory/app-password-edit.js'
import type { AppPassword } from '../../src/directory/app-password.js'
import { FilesDirectory } from '../../src/directory/files.js'
import { parseUserFile } from '../../src/directory/user-file.js'
import { withPassword, withScram, withSecret } from '../contracts/checker.js'
import { plant } from '../helpers/domain-tree.js'
import { keptLog } from '../helpers/kept-log.js'

const DOMAIN = 'example.com'
const alice = `alice@${DOMAIN}`
const SECRET = Buffer.alloc(32)
const SHA = '{SHA256}9S+9MrKzuG/4jvbEkGKChfSCrxXdyylUH5S89Saj9sc='

/** Counts the checks that a slot was asked for. */
class CountedSlots extends Slots {
  checks = 0

  override run<T>(check: () => Promise<T>, from?: string): Promise<T> {
    this.checks++
    return super.run(check, from)
  }
}

async function stage(text: string, rehash = false) {
  const tree = await plant({ domains: { [DOMAIN]: { users: {} } } })
  const file = tree.userFile(DOMAIN, 'alice')
  const put = (content: string) => writeFile(file, content, { mode: 0o600 })
  await put(text)
  const log = keptLog()
  const path = `${tree.root}/${DOMAIN}`
  const domains = { [DOMAIN]: { path, aliases: `${path}/.aliases`, bounceToPostmaster: false } }
  const directory = new FilesDirectory({ domains, defaultDomain: null, log, rehash })
  const slots = new CountedSlots()
  const checker = new DirectoryChecker(directory, slots, SECRET)
  const login = (password: string, protocol = 'pop3') => {
    const credentials = withPassword(alice, password) as PasswordCredentials
    return checker.requestAvatarId({ ...credentials, peer: { ...credentials.peer, protocol } })
  }
  return { tree, file, put, log, slots, checker, login, text: () => readFile(file, 'utf8') }
}

describe('a login that went well a moment ago', () => {
  it('needs no slot, however many others guess, and no wrong password becomes right', async () => {
    const { login, slots } = await stage(`${await hashPassword('x')}\n`)
    expect(await login('x')).toBe(alice)
    expect(await login('x')).toBe(alice)
    expect(slots.checks).toBe(1)
    expect(await login('y')).toBeNull()
    expect(slots.checks).toBe(2)
    expect(await login('x')).toBe(alice)
    expect(slots.checks).toBe(2)
  })

  it('counts for nothing once the account is changed, disabled, locked or gone', async () => {
    const hash = await hashPassword('x')
    const { login, put, file } = await stage(`${hash}\n`)
    expect(await login('x')).toBe(alice)
    for (const text of [
      `${await hashPassword('y')}\n`,
      `password = "${hash}"\ndisabled = true\n`,
      `!${hash}\n`,
      `password = "${hash}"\npassword_protocols = ["smtp"]\n`,
    ]) {
      await put(text)
      expect(await login('x'), text).toBeNull()
    }
    await put(`${hash}\n`)
    expect(await login('x')).toBe(alice)
    await unlink(file)
    expect(await login('x')).toBeNull()
  })
})

describe('an app password', () => {
  const made = newAppPassword()
  const app: AppPassword = { name: 'phone', hash: made.hash, protocols: null, expires: null }
  const withApp = (more: Partial<AppPassword> = {}, text = `${SHA}\n`): string =>
    addAppPassword(text, { ...app, ...more }, 'f')

  it('is four times four letters, and opens the account however it is typed, without a slot', async () => {
    expect(made.shown).toMatch(/^[a-z2-9]{4}(-[a-z2-9]{4}){3}$/)
    const { login, slots } = await stage(withApp())
    for (const typed of [
      made.shown,
      made.shown.replaceAll('-', ' '),
      made.shown.replaceAll('-', ''),
    ])
      expect(await login(typed)).toBe(alice)
    expect(await login(made.shown.toUpperCase())).toBe(alice)
    expect(slots.checks).toBe(0)
    expect(await login(newAppPassword().shown)).toBeNull()
    expect(await login('hunter2')).toBe(alice)
  })

  it('opens its protocols only, up to its last day', async () => {
    const { login, put } = await stage(withApp({ protocols: ['pop3'] }))
    expect(await login(made.shown, 'pop3')).toBe(alice)
    expect(await login(made.shown, 'smtp')).toBeNull()
    const [yesterday, tomorrow] = [-1, 1].map((days) =>
      new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10),
    )
    await put(withApp({ expires: yesterday! }))
    expect(await login(made.shown)).toBeNull()
    await put(withApp({ expires: tomorrow! }))
    expect(await login(made.shown)).toBe(alice)
  })

  it('opens nothing of an account that is disabled, and does without a password', async () => {
    const { login, put } = await stage(withApp().replace(/^/, 'disabled = true\n'))
    expect(await login(made.shown)).toBeNull()
    await put(withApp({}, '!\n'))
    expect(await login(made.shown)).toBe(alice)
    expect(await login('!')).toBeNull()
  })

  it('has the day of its use taken down beside the user file, once', async () => {
    const { login, tree, file } = await stage(withApp())
    const { ino } = await stat(file)
    expect(await tree.users(DOMAIN).lastUse('alice')).toEqual(new Map())
    await login(made.shown)
    await login(made.shown)
    const today = new Date().toISOString().slice(0, 10)
    expect(await tree.users(DOMAIN).lastUse('alice')).toEqual(new Map([['phone', today]]))
    expect((await stat(file)).ino).toBe(ino)
    await tree.users(DOMAIN).remove('alice')
    expect(await tree.users(DOMAIN).lastUse('alice')).toEqual(new Map())
  })
})

describe('a password that is barred from a protocol', () => {
  it('opens the others, however the client proves that it knows it', async () => {
    const { login, checker } = await stage('password = "{PLAIN}x"\npassword_protocols = ["smtp"]\n')
    expect(await login('x', 'smtp')).toBe(alice)
    expect(await login('x', 'pop3')).toBeNull()
    expect(await checker.requestAvatarId(withSecret(alice, 'x'))).toBeNull()
    const challenge = await checker.scramChallenge(alice)
    expect(await checker.requestAvatarId(await withScram(alice, 'x', challenge))).toBeNull()
  })
})

describe('an outdated hash', () => {
  const TOML = `# Alice\nname = "A" # kept\npassword = "${SHA}"\n`

  it('becomes argon2id with keys of SCRAM after a login, and everything else stays', async () => {
    const { login, text, checker, log } = await stage(TOML, true)
    expect(await login('wrong')).toBeNull()
    expect(await text()).toBe(TOML)
    expect(await login('hunter2')).toBe(alice)
    const [first, second, third, fourth] = (await text()).split('\n')
    expect(first).toMatch(/^(?:scram = "SCRAM-SHA-256\$|# Alice)/)
    expect([first, second, third, fourth]).toContain('name = "A" # kept')
    const user = parseUserFile(await text(), 'f')
    expect(user.password).toMatch(/^\$argon2id\$/)
    expect(await login('hunter2')).toBe(alice)
    expect(await login('hunter3')).toBeNull()
    const challenge = await checker.scramChallenge(alice)
    expect(await checker.requestAvatarId(await withScram(alice, 'hunter2', challenge))).toBe(alice)
    expect(JSON.stringify(log.events)).not.toContain('hunter2')
  })

  it('stays without rehash = true, and so does one that was chosen for challenges', async () => {
    for (const [content, rehash] of [
      [TOML, false],
      ['{PLAIN}hunter2\n', true],
      [`${(await newLogin('hunter2', 'scram-sha-256')).stored}\n`, true],
      [`${await hashPassword('hunter2')}\n`, true],
    ] as const) {
      const { login, text } = await stage(content, rehash)
      expect(await login('hunter2')).toBe(alice)
      expect(await text()).toBe(content)
    }
  })

  it('is not replaced where the file says another one meanwhile', async () => {
    const { tree, text, put } = await stage(TOML, true)
    const directory = tree.directory
    directory.reconfigure({
      domains: {
        [DOMAIN]: {
          path: `${tree.root}/${DOMAIN}`,
          aliases: `${tree.root}/none`,
          bounceToPostmaster: false,
        },
      },
      defaultDomain: null,
      rehash: true,
    })
    await directory.improve({ local: 'alice', domain: DOMAIN }, SHA, async () => {
      await put('{PLAIN}new\n')
      return { stored: '$argon2id$x', scram: null }
    })
    expect(await text()).toBe('{PLAIN}new\n')
  })
})

describe('keys of SCRAM that are all there is', () => {
  it('serve SCRAM and passwords', async () => {
    const { stored } = await newLogin('hunter2', 'scram-sha-256')
    const { login, checker } = await stage(`${stored}\n`)
    expect(await login('hunter2')).toBe(alice)
    expect(await login('hunter3')).toBeNull()
    const challenge = await checker.scramChallenge(alice)
    expect(challenge.known).toBe(true)
    expect(await checker.requestAvatarId(await withScram(alice, 'hunter2', challenge))).toBe(alice)
    expect(await checker.requestAvatarId(await withScram(alice, 'hunter3', challenge))).toBeNull()
  })
})
