import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { Workplace } from './workplace.js'

/** The errors of `mailtap check`, paths without the domain's. */
async function errors(place: Workplace): Promise<string[]> {
  const { out } = await place.mailtap(['check', '--json'])
  const found = JSON.parse(out) as { errors: string[] }
  return found.errors.map((line) => line.replaceAll(`${place.file('Maildir')}/`, '')).toSorted()
}

const SALT = 'Z43CaqDlOsndLXlCkfza3g'
const TAG = 'LzcSruOV3GJSLi5pDRzwdtPCvLIUmejsumvm5IzuSko'
const hash = (cost: string, tag = TAG): string => `$argon2id$v=19$${cost}$${SALT}$${tag}`

describe('mailtap check', () => {
  test.each([
    ['{SHA512-CRYPT}$6$salt$hash', 'the stored hash is broken'],
    ['secret', 'neither a password hash'],
    [hash('m=1024,t=2,p=1', TAG.slice(0, 20)), 'broken'],
    [hash('m=1024,t=2,p=1', TAG.slice(0, -1)), 'broken'],
    [hash('m=1024,t=2,p=1', TAG.slice(0, -3)), 'broken'],
    [`${hash('m=1024,t=2,p=1')} # of bob`, 'broken'],
    [hash('m=4294967296,t=2,p=1'), 'costs too much'],
    [hash('m=1024,t=0,p=1'), 'broken'],
    [`{PLAIN}${'x'.repeat(1025)}`, 'too long'],
  ])('names the file of the password %j, with which nobody can log in', async (stored, words) => {
    const place = await Workplace.withConfig()
    await place.write('Maildir/.users/bob', `${stored}\n`)
    const found = await errors(place)
    expect(found).toEqual([expect.stringMatching(/^\.users\/bob:/)])
    expect(found[0]).toContain(words)
    expect(found[0]).not.toContain(TAG.slice(0, 12))
    if (words !== 'neither a password hash')
      expect(found[0]).toMatch(/; run: mailtap user passwd bob@example\.com$/)
  })

  test('has nothing against good passwords, locked ones and disabled accounts', async () => {
    const place = await Workplace.withConfig()
    await place.write('Maildir/.users/hash', hash('m=1024,t=2,p=1'))
    await place.write('Maildir/.users/plain', '{PLAIN}x')
    await place.write('Maildir/.users/locked', '!{CRYPT}x')
    await place.write('Maildir/.users/off', 'password = "{CRYPT}x"\ndisabled = true\n')
    expect(await errors(place)).toEqual([])
  })

  test('names a file whose name is not UTF-8, and nobody takes it for a user', async () => {
    const place = await Workplace.withConfig()
    const name = Buffer.concat([Buffer.from(place.file('Maildir/.users/bob')), Buffer.from([0xff])])
    await writeFile(name, '{PLAIN}x\n', { mode: 0o600 })
    expect(await errors(place)).toEqual([
      expect.stringMatching(/^\.users\/bob\ufffd: this name can not be a user's, or is not UTF-8/),
    ])
    expect((await place.mailtap(['user', 'list'])).out).toBe('')
  })

  test('follows aliases to their ends', async () => {
    const place = await Workplace.withConfig('-u', 'alice')
    await place.write(
      'Maildir/.aliases',
      [
        'alice: alice',
        'good: alice',
        'bad: alice, nobody',
        'worse: bad',
        'one: two',
        'two: one',
        'abuse: gone',
        'postmaster: postmaster, away',
      ].join('\n'),
    )
    expect(await errors(place)).toEqual([
      '.aliases:3: there is no nobody@example.com; its mail waits',
      expect.stringMatching(/^\.aliases:5: one: .*circle; its mail waits$/),
      expect.stringMatching(/^\.aliases:6: two: .*circle; its mail waits$/),
      '.aliases:7: abuse: there is no gone@example.com',
      '.aliases:8: postmaster: there is no away@example.com',
    ])
  })

  test('looks at where a link to a domain leads, not at the link', async () => {
    const place = await Workplace.withConfig()
    await symlink('Maildir', place.file('link'))
    await place.write(
      'mailtap.toml',
      '[listen]\nsmtp = ["25"]\n[domains."example.com"]\npath = "link"\n',
    )
    const { code, err } = await place.mailtap(['check'])
    expect([code, err]).toEqual([0, expect.not.stringContaining('chmod')])
  })

  test('warns of a config and a state directory among the mailboxes', async () => {
    const place = await Workplace.make()
    await mkdir(place.file('.users'), { mode: 0o700 })
    await place.write('mailtap.toml', '[listen]\nsmtp = ["25"]\n[domains.a]\npath = "."\n')
    const { code, err } = await place.mailtap(['check'])
    expect([code, err]).toEqual([
      0,
      expect.stringContaining('the config lies in the directory of a'),
    ])
  })
})
