import { describe, expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

describe('mailtap hash', () => {
  test('prints what a user file holds, and nothing else', async () => {
    const place = await Workplace.make()
    const { code, out, err } = await place.mailtap(['hash', '--password-stdin'], { input: 'pw\n' })
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$\S+\n$/)
  })

  test('tells whether a password is the one in a file', async () => {
    const place = await Workplace.make()
    await place.write('plain', '{PLAIN}right\n')
    await place.write('toml', 'name = "x"\npassword = "{PLAIN}right"\n')
    for (const file of ['plain', 'toml']) {
      const verify = ['hash', '--verify', file, '--password-stdin']
      expect((await place.mailtap(verify, { input: 'right' })).code).toBe(0)
      const wrong = await place.mailtap(verify, { input: 'wrong' })
      expect([wrong.code, oneLine(wrong)]).toEqual([65, `${file}: the password is another one`])
    }
  })

  test.each(['bcrypt', 'sha512-crypt', 'ssha512', 'scram-sha-256', 'PLAIN'])(
    'makes %s, and knows it again',
    async (scheme) => {
      const place = await Workplace.make()
      const made = ['hash', '--password-stdin', '-s', scheme]
      const { code, out } = await place.mailtap(made, { input: 'pä$$' })
      expect([code, out]).toEqual([0, expect.stringMatching(/^[${]\S+\n$/)])
      await place.write('file', out)
      const verify = ['hash', '--verify', 'file', '--password-stdin']
      expect((await place.mailtap(verify, { input: 'pä$$' })).code).toBe(0)
      expect((await place.mailtap(verify, { input: 'pa$$' })).code).toBe(65)
    },
  )

  test('makes no bcrypt of a password of which not all would count', async () => {
    const place = await Workplace.make()
    const made = ['hash', '--password-stdin', '-s', 'bcrypt']
    const outcome = await place.mailtap(made, { input: 'x'.repeat(73) })
    expect([outcome.code, oneLine(outcome)]).toEqual([65, expect.stringContaining('72 bytes')])
  })

  test.each([
    ['!{PLAIN}right\n', 'no login'],
    ['{CRYPT}abc\n', '{CRYPT} is not supported'],
    ['what is this\n', 'neither a password hash'],
  ])('says why nobody can log in with %j', async (content, words) => {
    const place = await Workplace.make()
    await place.write('file', content)
    const verify = ['hash', '--verify', 'file', '--password-stdin']
    const outcome = await place.mailtap(verify, { input: 'right' })
    expect([outcome.code, oneLine(outcome)]).toEqual([65, expect.stringContaining(words)])
  })

  test('keeps a generated password out of the file that stdout goes to', async () => {
    const place = await Workplace.make()
    const { out, err } = await place.mailtap(['hash', '--generate', '-s', 'PLAIN'])
    const password = /^mailtap: password (\S{20})$/m.exec(err)![1]!
    expect(out).toBe(`{PLAIN}${password}\n`)
  })
})
