/** The checker `vpopmail` on files that cdb itself makes. */
import { mkdir, open, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cdbGet } from '../../src/checkers/cdb.js'
import { hashPassword } from '../../src/checkers/passwords.js'
import { accountFrom } from '../../src/checkers/vpopmail.js'
import {
  checkerContract,
  faultContract,
  usersContract,
  withPassword,
} from '../contracts/checker.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { locate, runProgram, testWith } from '../helpers/programs.js'
import { check } from './stage.js'

/** @returns the directory of domains */
async function domainsWith(lines: readonly string[]): Promise<string> {
  const domains = await temporaryDirectory()
  const folder = join(domains, 'example.com')
  await mkdir(folder)
  const input = lines
    .map((line) => {
      const at = line.indexOf(':')
      const [key, value] = [Buffer.from(line.slice(0, at)), Buffer.from(line.slice(at + 1))]
      return `+${key.length},${value.length}:${key.toString()}->${value.toString()}\n`
    })
    .join('')
  const made = await runProgram('cdb', ['-c', join(folder, 'vpasswd.cdb')], {
    input: `${input}\n`,
  })
  if (made.code !== 0) throw new Error(made.stderr)
  return domains
}

const ALICE = 'alice:$1$x$y:1:0:Alice:/home/v/alice:2000000S,500C:Wonderland '
const make = async () => check(`vpopmail:${await domainsWith([ALICE])}`)
const login = async (line: string, password: string, protocol = 'pop3') => {
  const checker = check(`vpopmail:${await domainsWith([line])}`)
  const credentials = withPassword('bob@example.com', password)
  return checker.requestAvatarId({ ...credentials, peer: { ...credentials.peer, protocol } })
}

function withCdb(): void {
  checkerContract('the checker vpopmail', make)
  usersContract('the checker vpopmail', make)
  faultContract('the checker vpopmail', {
    'has no directory of domains': async () =>
      check(`vpopmail:${join(await temporaryDirectory(), 'none')}`),
    'lost a file': async () => {
      const domains = await domainsWith([ALICE])
      await rm(join(domains, 'example.com/vpasswd.cdb'))
      return check(`vpopmail:${domains}`)
    },
    'has an empty file': async () => {
      const domains = await domainsWith([ALICE])
      await truncate(join(domains, 'example.com/vpasswd.cdb'))
      return check(`vpopmail:${domains}`)
    },
    'has rubbish in it': async () => {
      const domains = await domainsWith([ALICE])
      await writeFile(join(domains, 'example.com/vpasswd.cdb'), Buffer.alloc(5_000, 0xaa))
      return check(`vpopmail:${domains}`)
    },
    'has a record of another kind': async () => check(`vpopmail:${await domainsWith(['alice:x'])}`),
  })

  describe('the checker vpopmail', () => {
    it('takes a hash, where the password in clear is not kept', async () => {
      const hash = await hashPassword('x')
      expect(await login(`bob:${hash}:1:0:::NOQUOTA`, 'x')).toBe('bob@example.com')
      expect(await login(`bob:${hash}:1:0:::NOQUOTA`, 'y')).toBeNull()
    })

    it('keeps out whom the flags keep out', async () => {
      const line = (flags: number) => `bob:$1$x$y:1:${flags}:::NOQUOTA:x`
      expect(await login(line(0x02), 'x')).toBeNull()
      expect(await login(line(0x02), 'x', 'smtp')).toBe('bob@example.com')
      expect(await login(line(0x800), 'x', 'smtp')).toBeNull()
      expect(await login(line(0x800), 'x')).toBe('bob@example.com')
      expect(await login(line(0x10), 'x')).toBeNull()
      expect(await login('bob:*:1:0:::NOQUOTA:x', 'x')).toBeNull()
    })

    it('finds each of many keys, and none that is not there', async () => {
      const keys = Array.from({ length: 2_000 }, (_, at) => `user${at * 7}`)
      const domains = await domainsWith(keys.map((key) => `${key}:value of ${key}`))
      const file = await open(join(domains, 'example.com/vpasswd.cdb'))
      try {
        for (const key of keys) {
          expect(String(await cdbGet(file, Buffer.from(key)))).toBe(`value of ${key}`)
          expect(await cdbGet(file, Buffer.from(`${key}x`))).toBeNull()
        }
      } finally {
        await file.close()
      }
    })
  })
}

if (locate('cdb') !== null) withCdb()
else testWith(['cdb'], 'the checker vpopmail reads what cdb writes', async () => {})

describe('a record of vpasswd.cdb', () => {
  it.each([
    ['NOQUOTA', null],
    ['', null],
    ['5000S', { bytes: 5000, messages: null }],
    ['5000S,7C', { bytes: 5000, messages: 7 }],
    ['7C', { bytes: null, messages: 7 }],
  ])('with the quota %j means %j', (text, quota) => {
    expect(accountFrom(`$1$x$y:1:0:::${text}`).quota).toEqual(quota)
  })
})
