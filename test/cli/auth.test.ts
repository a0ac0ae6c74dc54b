/** `mailtap auth`: which checkers there are, and what they say of somebody. */
import { describe, expect, test } from 'vitest'
import { Workplace } from './workplace.js'

async function workplace(): Promise<Workplace> {
  const place = await Workplace.withConfig()
  const config = await place.read('mailtap.toml')
  const auth = `auth = ["directory", "file:${place.file('passwd')}", "file:${place.file('none')}"]`
  await place.write('mailtap.toml', config.replace(/^auth = .*$/m, auth))
  await place.write('passwd', 'carol:{PLAIN}secret\n', 0o600)
  return place
}

const answers = (out: string): unknown[] =>
  (JSON.parse(out) as { answer: string; detail: string }[]).map(({ answer, detail }) => [
    answer,
    detail,
  ])
const GONE = ['cannot tell', expect.stringContaining('ENOENT')]

describe('mailtap auth types', () => {
  test('lists the checkers, for programs too, and explains one', async () => {
    const place = await Workplace.make()
    const { code, out } = await place.mailtap(['auth', 'types', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toContainEqual(
      expect.objectContaining({ name: 'ldap', kinds: ['password'], needs: 'ldapts' }),
    )
    const one = await place.mailtap(['auth', 'types', 'oauth'])
    expect(one.out).toMatch(/^can check: tokens/m)
    expect(one.out).toMatch(/^warning: USER\/PASS/m)
    expect(one.out).toMatch(/npm install jose/)
  })
})

describe('mailtap auth test', () => {
  test('says who knows a user', async () => {
    const place = await workplace()
    const carol = await place.mailtap(['auth', 'test', 'carol@example.com', '--json'])
    expect(carol.code).toBe(0)
    expect(answers(carol.out)).toEqual([['no', 'no such user'], ['yes', 'carol@example.com'], GONE])
    const dave = await place.mailtap(['auth', 'test', 'dave@example.com'])
    expect([dave.code, dave.err]).toEqual([75, expect.stringContaining('not every checker')])
  })

  test('says who takes the password, and never shows it', async () => {
    const place = await workplace()
    await place.write('right', 'secret\n')
    await place.write('wrong', 'another\n')
    const words = ['auth', 'test', 'carol', '--service', 'smtp', '--json', '--password-file']
    const right = await place.mailtap([...words, place.file('right')])
    expect([right.code, answers(right.out)[1]]).toEqual([0, ['yes', 'carol@example.com']])
    const wrong = await place.mailtap([...words, place.file('wrong')])
    expect([wrong.code, answers(wrong.out)[1]]).toEqual([
      75,
      ['no', 'no such user, or another password'],
    ])
    expect(right.out + wrong.out + wrong.err).not.toMatch(/secret|another"/)
  })

  test('refuses a protocol that there is not, and a config whose checker cannot be made', async () => {
    const place = await workplace()
    const imap = await place.mailtap(['auth', 'test', 'carol', '--service', 'imap'])
    expect(imap.code).toBe(64)
    await place.write('mailtap.toml', 'auth = ["ldap:ldap://x"]\n[domains.a]\npath = "."\n')
    const bad = await place.mailtap(['auth', 'test', 'carol'])
    expect([bad.code, bad.err]).toEqual([78, expect.stringContaining('the checker "ldap"')])
  })
})
