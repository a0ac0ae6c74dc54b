/** The checker `file` on the formats of other programs. */
import { chmod, rename, rm, symlink, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashPassword } from '../../src/checkers/passwords.js'
import { parsePasswdLine } from '../../src/checkers/passwd-lines.js'
import {
  checkerContract,
  faultContract,
  usersContract,
  withPassword,
} from '../contracts/checker.js'
import { runProgram, testWith } from '../helpers/programs.js'
import { check, privateFile } from './stage.js'

const make = async (text: string | Buffer, more = '') =>
  check(`file:${await privateFile(text)}${more}`)
const login = async (text: string, name: string, password: string, more = '') =>
  (await make(text, more)).requestAvatarId(withPassword(name, password))

checkerContract('the checker file', () => make('Alice:{PLAIN}Wonderland \n'))
usersContract('the checker file', () => make('alice@EXAMPLE.com:{PLAIN}Wonderland \n'))
faultContract('the checker file', {
  'is not there': async () => {
    const path = await privateFile('')
    await rm(path)
    return check(`file:${path}`)
  },
  'is a link': async () => {
    const path = await privateFile('alice:{PLAIN}Wonderland \n')
    await rename(path, `${path}2`)
    await symlink(`${path}2`, path)
    return check(`file:${path}`)
  },
  'all may read': async () => {
    const path = await privateFile('alice:{PLAIN}Wonderland \n')
    await chmod(path, 0o644)
    return check(`file:${path}`)
  },
  'is no text': () => make(Buffer.alloc(4096)),
})

describe('the checker file', () => {
  it('takes what has no mark for the password itself, colons and all', async () => {
    expect(await login('alice:se:cret\n', 'alice', 'se:cret')).toBe('alice@example.com')
    expect(await login('alice:secret\n', 'alice', 'secret')).toBe('alice@example.com')
  })

  it('never takes a hash of the old crypt for the password', async () => {
    await expect(login('alice:abJnggxhB/yWI\n', 'alice', 'abJnggxhB/yWI')).rejects.toThrow(/DES/)
  })

  it('takes every word as it is with format=plain, as Twisted did', async () => {
    const text = 'alice:abJnggxhB/yWI\nbob:{PLAIN}x\n'
    const plain = ';format=plain'
    expect(await login(text, 'alice', 'abJnggxhB/yWI', plain)).toBe('alice@example.com')
    expect(await login(text, 'bob', 'x', plain)).toBeNull()
    expect(await login(text, 'bob', '{PLAIN}x', plain)).toBe('bob@example.com')
  })

  it('reads the fields of a passwd-file of Dovecot', async () => {
    const hash = await hashPassword('x')
    const text =
      `alice@example.net:${hash}:8:8:Alice L:/home/a::userdb_quota_rule=*:storage=2G\n` +
      'bob:{PLAIN}x:8:8::/home/b::nologin\n'
    expect(await login(text, 'alice@example.net', 'x')).toBe('alice@example.net')
    expect(await login(text, 'bob', 'x')).toBeNull()
    const { users } = await make(text)
    expect(await users!.find({ local: 'alice', domain: 'example.net' })).toEqual({
      password: hash,
      name: 'Alice L',
      quota: { bytes: 2 * 1024 ** 3, messages: null },
      disabled: false,
    })
  })

  it('lets names without a domain belong to one domain only', async () => {
    const text = 'alice:{PLAIN}x\n'
    expect(await login(text, 'alice@example.net', 'x')).toBeNull()
    const net = ';domain=example.net'
    expect(await login(text, 'alice@example.net', 'x', net)).toBe('alice@example.net')
    expect(await login(text, 'alice@example.com', 'x', net)).toBeNull()
  })

  it('has nobody whose password is empty, locked or missing', async () => {
    for (const line of ['alice:', 'alice', 'alice:!{PLAIN}x', 'alice:*', '# alice:x', ':x'])
      expect(await login(`${line}\n`, 'alice', 'x')).toBeNull()
  })

  it('sees at once that a user was taken out', async () => {
    const path = await privateFile('alice:{PLAIN}x\n')
    const checker = check(`file:${path}`)
    const alice = withPassword('alice', 'x')
    expect(await checker.requestAvatarId(alice)).toBe('alice@example.com')
    await writeFile(path, 'bob:{PLAIN}x\n')
    expect(await checker.requestAvatarId(alice)).toBeNull()
  })

  testWith(['doveadm'], 'takes the hashes that Dovecot makes', async () => {
    for (const scheme of ['SHA512-CRYPT', 'SSHA256', 'BLF-CRYPT', 'MD5-CRYPT']) {
      const { stdout } = await runProgram('doveadm', ['pw', '-s', scheme, '-p', 'Wonderland'])
      const line = `alice:${stdout.toString().trim()}\n`
      expect(await login(line, 'alice', 'Wonderland'), scheme).toBe('alice@example.com')
      expect(await login(line, 'alice', 'wonderland'), scheme).toBeNull()
    }
  })

  it('refuses an argument that it cannot use', () => {
    for (const spec of ['file', 'file:', 'file:relative', 'file:/a;b', 'file:/a;format=x'])
      expect(() => check(spec), spec).toThrow(/the checker "file": /)
    expect(() => check('file:/a;domain=..')).toThrow(/takes a domain/)
  })

  it('gets along with any line', () => {
    fc.assert(
      fc.property(fc.string(), (line) => {
        const entry = parsePasswdLine(line, 'auto')
        expect(entry === null || line.startsWith(entry.name)).toBe(true)
      }),
    )
  })
})
