import { readdir } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

describe('mailtap user remove', () => {
  test('keeps the mail and says where it is', async () => {
    const place = await Workplace.withConfig('-u', 'alice')
    await place.write('Maildir/alice/new/1.M1.host', 'mail\n')
    const { code, out } = await place.mailtap(['user', 'remove', 'alice'])
    expect([code, out]).toEqual([
      0,
      `removed the user alice@example.com\nthe mail is kept in ${place.file('Maildir/alice')}\n`,
    ])
    expect(place.has('Maildir/.users/alice')).toBe(false)
    expect(await place.read('Maildir/alice/new/1.M1.host')).toBe('mail\n')
    expect((await place.mailtap(['user', 'remove', 'alice'])).code).toBe(67)
  })

  test('removes the mail when that is said twice', async () => {
    const place = await Workplace.withConfig('-u', 'alice')
    await place.write('Maildir/alice/new/1.M1.host', 'mail\n')
    const once = await place.mailtap(['user', 'remove', 'alice', '--mail'])
    expect([once.code, oneLine(once)]).toEqual([64, expect.stringContaining('1 messages')])
    expect(place.has('Maildir/.users/alice')).toBe(true)
    expect((await place.mailtap(['user', 'remove', 'alice', '--mail', '--yes'])).code).toBe(0)
    expect(await readdir(place.file('Maildir'))).toEqual(['.users', 'postmaster'])
  })

  test("keeps the postmaster's mailbox in any case", async () => {
    const place = await Workplace.withConfig('-u', 'postmaster')
    const outcome = await place.mailtap(['user', 'remove', 'PostMaster', '--mail', '--yes'])
    expect([outcome.code, oneLine(outcome)]).toEqual([64, expect.stringContaining('postmaster')])
    expect(place.has('Maildir/postmaster/new')).toBe(true)
  })

  test('removes nothing in a dry run', async () => {
    const place = await Workplace.withConfig('-u', 'alice')
    const { out } = await place.mailtap(['user', 'remove', 'alice', '--mail', '-n'])
    expect(out).toContain('would remove the user alice@example.com\nwould remove 0 messages')
    expect(place.has('Maildir/.users/alice')).toBe(true)
  })
})

describe('mailtap user list and show', () => {
  test('list what is in the files, also what a script dropped there', async () => {
    const place = await Workplace.withConfig('-u', 'alice', '-d', 'b.org=./b')
    await place.write('Maildir/.users/zoe', '{PLAIN}x\n')
    const all = await place.mailtap(['user', 'list'])
    expect(all.out).toBe('alice@example.com\nzoe@example.com\n')
    const json = await place.mailtap(['user', 'list', 'B.ORG', '--json'])
    expect(JSON.parse(json.out)).toEqual([])
    expect((await place.mailtap(['user', 'list', 'c.org'])).code).toBe(67)
  })

  test('show how one can log in, never with what', async () => {
    const place = await Workplace.withConfig()
    await place.write('Maildir/.users/zoe', 'password = "{PLAIN}sesame"\nname = "Zoë"\n')
    const { out } = await place.mailtap(['user', 'show', 'zoe', '--json'])
    expect(JSON.parse(out)).toEqual({
      address: 'zoe@example.com',
      name: 'Zoë',
      login: 'plain',
      mailbox: place.file('Maildir/zoe'),
      messages: null,
    })
    await place.write('Maildir/.users/off', '!\n')
    expect((await place.mailtap(['user', 'show', 'off'])).out).toMatch(/^login {5}none$/m)
  })

  test('tell of a mailbox without a user', async () => {
    const place = await Workplace.withConfig()
    const outcome = await place.mailtap(['user', 'show', 'postmaster'])
    expect([outcome.code, oneLine(outcome)]).toEqual([
      67,
      'no user postmaster@example.com, but a mailbox with 0 messages; ' +
        'to log in to it: mailtap user add postmaster@example.com',
    ])
    expect((await place.mailtap(['user', 'show', 'nobody'])).code).toBe(67)
    expect((await place.mailtap(['user', 'show', '../x'])).code).toBe(65)
  })
})
