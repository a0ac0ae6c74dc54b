/** The checker `ldap` and a real slapd. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filledIn } from '../../src/checkers/ldap.js'
import {
  checkerContract,
  faultContract,
  usersContract,
  withPassword,
} from '../contracts/checker.js'
import { locate, testWith } from '../helpers/programs.js'
import { ADMIN, BASE, SLAPD, type Slapd, startSlapd } from '../helpers/slapd.js'
import { badServer, check, privateFile, rubbish, silent } from './stage.js'

const PEOPLE = [
  ['alice', 'alice@example.com', 'Wonderland '],
  ['one', 'twin@example.com', 'x'],
  ['two', 'twin@example.com', 'x'],
] as const
const READER = `dn: cn=reader,${BASE}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: Mad Hatter
`
const LDIF = [...PEOPLE.map(personOf), READER].join('\n')

function personOf([uid, mail, password]: (typeof PEOPLE)[number]): string {
  return `dn: uid=${uid},${BASE}
objectClass: inetOrgPerson
uid: ${uid}
cn: ${uid} L
sn: L
mail: ${mail}
description: 2GB
userPassword:: ${Buffer.from(password).toString('base64')}
`
}

let folder = ''
let slapd: Slapd
const reader = async () =>
  `;base=${BASE};bind_dn=cn=reader,${BASE};password_file=${await privateFile('Mad Hatter\n')}`
const make = async (more = '') =>
  check(`ldap:ldap://127.0.0.1:${slapd.port}${await reader()};timeout=5${more}`)

function withSlapd(): void {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mailtap-slapd-'))
    slapd = await startSlapd(folder, LDIF)
  }, 60_000)
  afterAll(async () => {
    await slapd.stop()
    await rm(folder, { recursive: true, force: true })
  })

  checkerContract('the checker ldap, which binds,', () => make(), ['password'])
  const compares = `;bind_dn=${ADMIN.dn};mode=compare`
  checkerContract(
    'the checker ldap, which compares,',
    async () => {
      const file = await privateFile(ADMIN.password)
      const url = `ldap://127.0.0.1:${slapd.port}`
      return check(`ldap:${url};base=${BASE}${compares};password_file=${file}`)
    },
    ['password'],
  )
  usersContract('the checker ldap', () => make())
  faultContract('the checker ldap', {
    'is down': async () => check(`ldap:ldap://127.0.0.1:1${await reader()};timeout=1`),
    'says nothing': async () =>
      check(`ldap:ldap://127.0.0.1:${await badServer(silent)}${await reader()};timeout=1`),
    'says rubbish': async () =>
      check(`ldap:ldap://127.0.0.1:${await badServer(rubbish)}${await reader()};timeout=1`),
    'refuses us': async () => {
      const wrong = await privateFile('March Hare')
      const url = `ldap://127.0.0.1:${slapd.port};base=${BASE}`
      return check(`ldap:${url};bind_dn=cn=reader,${BASE};password_file=${wrong}`)
    },
    'has no such base': async () => {
      const file = await privateFile('Mad Hatter')
      const url = `ldap://127.0.0.1:${slapd.port};base=dc=nowhere`
      return check(`ldap:${url};bind_dn=cn=reader,${BASE};password_file=${file}`)
    },
    'has a certificate that nobody knows': async () =>
      check(`ldap:ldaps://127.0.0.1:${slapd.tlsPort}${await reader()}`),
    'wants a password file that all can read': async () => {
      const file = await privateFile('Mad Hatter', 0o644)
      const url = `ldap://127.0.0.1:${slapd.port};base=${BASE}`
      return check(`ldap:${url};bind_dn=cn=reader,${BASE};password_file=${file}`)
    },
  })

  describe('the checker ldap', () => {
    it.each(['ldaps', 'starttls'])('works over TLS: %s', async (way) => {
      const tls = way === 'ldaps'
      const url = tls ? `ldaps://127.0.0.1:${slapd.tlsPort}` : `ldap://127.0.0.1:${slapd.port}`
      const more = `;ca=${slapd.certificate}${tls ? '' : ';starttls=yes'}`
      const checker = check(`ldap:${url}${await reader()}${more}`)
      const ask = (password: string) =>
        checker.requestAvatarId(withPassword('alice@example.com', password))
      expect(await ask('Wonderland ')).toBe('alice@example.com')
      expect(await ask('wrong')).toBeNull()
    })

    it('cannot tell which of two entries is meant', async () => {
      const asked = (await make()).requestAvatarId(withPassword('twin@example.com', 'x'))
      await expect(asked).rejects.toThrow(/more than one/)
    })

    it('finds by another filter, and tells quota and name', async () => {
      const { users } = await make(';filter=(&(uid=%n)(mail=*@%d));quota=description')
      expect(await users!.find({ local: 'alice', domain: 'example.com' })).toEqual({
        quota: { bytes: 2 * 1024 ** 3, messages: null },
        name: 'alice L',
        disabled: false,
      })
      expect(await users!.find({ local: 'alice', domain: 'example.net' })).toBeNull()
    })
  })
}

if (SLAPD.every((program) => locate(program) !== null)) withSlapd()
else testWith(SLAPD, 'the checker ldap works with a real slapd', async () => {})

describe('the filter of the checker ldap', () => {
  it('means the same whatever stands in the address', () => {
    fc.assert(
      fc.property(fc.string(), (local) => {
        const filter = filledIn('(uid=%n)', { local, domain: 'x' })
        expect(filter.slice(5, -1)).toMatch(/^(?:[^\\*()\0]|\\[0-9a-f]{2})*$/)
      }),
    )
  })

  it.each([
    'ldap',
    'ldap:ldap://127.0.0.1',
    'ldap:ldap://ldap.example.com;base=x',
    'ldap:ldaps://x;base=x;bind_dn=y',
    'ldap:ldaps://u:p@x;base=x',
    'ldap:http://x;base=x',
    'ldap:ldaps://x;base=x;starttls=yes',
    'ldap:ldaps://x;base=x;timeout=0',
    'ldap:ldaps://x;base=x;password=y',
  ])('is refused in %s', (spec) => {
    expect(() => check(spec)).toThrow(/the checker "ldap": /)
  })
})
