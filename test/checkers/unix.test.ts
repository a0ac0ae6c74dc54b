/** The checker `unix`: files like /etc/shadow, and PAM behind a real saslauthd. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseShadow } from '../../src/checkers/unix.js'
import {
  checkerContract,
  faultContract,
  usersContract,
  withPassword,
} from '../contracts/checker.js'
import { answers, startDaemon } from '../helpers/daemon.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { locate, runProgram, testUnless } from '../helpers/programs.js'
import { badServer, check, privateFile, rubbish, silent } from './stage.js'

const PASSWD = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/:/usr/sbin/nologin
alice:x:1000:1000:Alice L,,,:/home/alice:/bin/bash
late:x:1001:1001::/home/late:/bin/bash
nobody:x:65534:65534::/:/usr/sbin/nologin
`
const hash = async (password: string) =>
  String((await runProgram('openssl', ['passwd', '-6', password])).stdout).trim()

const passwd = () => privateFile(PASSWD, 0o644)
async function make(lines?: string) {
  const shadow = lines ?? `alice:${await hash('Wonderland ')}:19000:0:99999:7:::\n`
  return check(`unix:${await privateFile(shadow, 0o640)};passwd=${await passwd()}`)
}
const login = async (lines: string, name: string, password: string) =>
  (await make(lines)).requestAvatarId(withPassword(name, password))

checkerContract('the checker unix', () => make(), ['password'])
usersContract('the checker unix', () => make())
faultContract('the checker unix', {
  'is not there': async () => check(`unix:${await privateFile('')}.none;passwd=${await passwd()}`),
  'all can read': async () =>
    check(`unix:${await privateFile('alice:x\n', 0o644)};passwd=${await passwd()}`),
})
describe('the checker unix', () => {
  it('lets no daemon in, and nobody whose account is locked or over', async () => {
    const good = await hash('x')
    for (const name of ['root', 'daemon', 'nobody']) {
      expect(await login(`${name}:${good}:::::::\n`, name, 'x')).toBeNull()
    }
    expect(await login(`late:${good}::::::1:\n`, 'late', 'x')).toBeNull()
    expect(await login(`late:${good}::::::99999:\n`, 'late', 'x')).toBe('late@example.com')
    expect(await login(`late:!${good}:::::::\n`, 'late', 'x')).toBeNull()
    expect(await login('late::::::::\n', 'late', '')).toBeNull()
  })

  it('cannot tell with a hash that cannot be worked out here', async () => {
    const line = 'alice:$y$j9T$abcdefgh$0123456789012345678901234567890123456789012:::::::\n'
    await expect(login(line, 'alice', 'x')).rejects.toThrow(/\S/)
  })

  it('never takes an unmarked hash for the password', async () => {
    await expect(login('alice:abJnggxhB/yWI:::::::\n', 'alice', 'abJnggxhB/yWI')).rejects.toThrow(
      /\S/,
    )
  })

  it('knows the day on which an account ends', () => {
    const at = (day: number) => parseShadow('a:x::::::10:', day * 86_400_000)?.account.disabled
    expect([at(9), at(10)]).toEqual([false, true])
  })

  it('cannot tell while saslauthd is down, but knows who is there', async () => {
    const socket = join(await temporaryDirectory(), 'mux')
    const checker = check(`unix:;saslauthd=${socket};passwd=${await passwd()};timeout=1`)
    const alice = withPassword('alice@example.com', 'x')
    await expect(checker.requestAvatarId(alice)).rejects.toThrow(/ENOENT/)
    expect(await checker.users!.find({ local: 'alice', domain: 'example.com' })).not.toBeNull()
  })

  it.each([
    ['says nothing', silent],
    ['says rubbish', rubbish],
  ])('cannot tell while saslauthd %s', async (_, treat) => {
    const socket = join(await temporaryDirectory(), 'mux')
    await badServer(treat, socket)
    const checker = check(`unix:;saslauthd=${socket};passwd=${await passwd()};timeout=1`)
    const asked = checker.requestAvatarId(withPassword('alice@example.com', 'x'))
    await expect(asked).rejects.toThrow(/\S/)
  })

  const missing = ['saslauthd', 'openssl'].filter((program) => locate(program) === null)
  const obstacle = process.getuid?.() === 0 ? null : 'PAM is configured by root'
  testUnless(
    missing.length > 0 ? `not installed: ${missing.join(', ')}` : obstacle,
    'asks PAM through a real saslauthd',
    async () => {
      const folder = await temporaryDirectory()
      await mkdir(join(folder, 'run'))
      const service = `mailtap-test-${process.pid}`
      const script = join(folder, 'check')
      const words = 'IFS= read -r password\n[ "$PAM_USER/$password" = "alice/Wonderland " ]\n'
      await writeFile(script, `#!/bin/sh\n${words}`, { mode: 0o755 })
      const rules = `auth required pam_exec.so quiet expose_authtok ${script}\n`
      const pam = `/etc/pam.d/${service}`
      await writeFile(pam, `${rules}account required pam_permit.so\n`)
      const socket = join(folder, 'run/mux')
      const args = ['saslauthd', '-d', '-n', '1', '-a', 'pam', '-m', join(folder, 'run')]
      const works = () => answers(socket)
      // At its end it sends a signal to all of its group: that must not be ours.
      const daemon = await startDaemon('setsid', args, works, 'SIGTERM')
      try {
        const said = `unix:;saslauthd=${socket};service=${service};passwd=${await passwd()}`
        const ask = (name: string, password: string) =>
          check(said).requestAvatarId(withPassword(name, password))
        expect(await ask('Alice', 'Wonderland ')).toBe('alice@example.com')
        expect(await ask('alice', 'Wonderland')).toBeNull()
        expect(await ask('root', 'Wonderland ')).toBeNull()
        expect(await ask('late', 'Wonderland ')).toBeNull()
      } finally {
        await daemon.stop()
        await rm(pam)
      }
    },
  )
})
