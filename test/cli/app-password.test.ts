import { describe, expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

const USER = 'alice@example.com'

async function withUser(): Promise<Workplace> {
  const place = await Workplace.withFiles()
  await place.write('Maildir/.users/alice', '{PLAIN}x\n')
  return place
}
const app = (place: Workplace, ...words: string[]) =>
  place.mailtap(['user', 'app-password', ...words])

describe('mailtap user app-password', () => {
  test('makes one that is shown once and stored as a digest', async () => {
    const place = await withUser()
    const { code, out, err } = await app(
      place,
      'add',
      USER,
      '--name',
      'phone',
      '--protocols',
      'pop3',
    )
    expect([code, err]).toEqual([0, ''])
    const [, password] = /^password ([a-z2-9]{4}(?:-[a-z2-9]{4}){3})$/m.exec(out)!
    const file = await place.read('Maildir/.users/alice')
    expect(file).toMatch(
      /^password = "\{PLAIN\}x"\n\n\[\[app_password\]\]\nname = "phone"\nhash = "\{SSHA512\}/,
    )
    expect(file).not.toContain(password)
    expect(file).toContain('protocols = ["pop3"]')
  })

  test('lists them, and takes one back', async () => {
    const place = await withUser()
    await app(place, 'add', USER)
    await app(place, 'add', USER, '--expires', '2031-01-31')
    const { out } = await app(place, 'list', USER)
    expect(out).toBe(
      'app-1: pop3, smtp, last used never\napp-2: pop3, smtp, until 2031-01-31, last used never\n',
    )
    expect((await app(place, 'remove', USER, '--name', 'app-1')).code).toBe(0)
    expect(JSON.parse((await app(place, 'list', USER, '--json')).out)).toEqual([
      { name: 'app-2', protocols: ['pop3', 'smtp'], expires: '2031-01-31', used: null },
    ])
    expect((await place.mailtap(['user', 'show', USER])).out).toContain('apps      1')
  })

  test.each([
    [['add', USER, '--expires', 'soon'], 64, '--expires soon'],
    [['add', USER, '--expires', '2031-02-31'], 64, '--expires'],
    [['add', USER, '--protocols', 'imap'], 64, '--protocols imap'],
    [['add', USER, '--name', '[x'], 64, '--name [x'],
    [['add', 'bob@example.com'], 67, 'no user bob@example.com'],
    [['remove', USER, '--name', 'tablet'], 65, "no app password 'tablet'"],
    [['remove', USER], 64, '--name'],
    [['change', USER], 64, 'add, list or remove'],
  ])('refuses %j', async (words, code, what) => {
    const place = await withUser()
    const outcome = await app(place, ...words)
    expect([outcome.code, oneLine(outcome)]).toEqual([code, expect.stringContaining(what)])
    expect(await place.read('Maildir/.users/alice')).toBe('{PLAIN}x\n')
  })
})
