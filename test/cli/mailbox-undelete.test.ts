import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

/** Two messages that alice deleted. */
async function deletedMail(): Promise<Workplace> {
  const place = await Workplace.withConfig()
  await place.mailtap(['user', 'add', 'alice', '--generate'])
  for (const part of ['cur', 'new', 'tmp']) {
    await mkdir(place.file(`Maildir/alice/.Trash/${part}`), { recursive: true })
  }
  const trash = (name: string): string => place.file(`Maildir/alice/.Trash/cur/${name}`)
  const first = 'From: bob\nSubject: one\n\tmore \u001b[2J\nMessage-ID: <a.1@b>\n\nbody\n'
  await writeFile(trash('1000.a.h,S=7:2,S'), first)
  await writeFile(trash('2000.b.h:2,'), 'Subject: two\n\nMessage-ID: <no@header>\n')
  return place
}

const inbox = async (place: Workplace): Promise<string[]> =>
  (await readdir(place.file('Maildir/alice/cur'))).toSorted()

describe('mailtap mailbox undelete', () => {
  test('puts everything back and prints it', async () => {
    const place = await deletedMail()
    const { code, out } = await place.mailtap(['mailbox', 'undelete', 'alice'])
    expect(code).toBe(0)
    expect(out).toMatch(/^1000\.a\.h\t\d{4}-.*\t\d+\tbob\tone more \\u001b\[2J$/m)
    expect(out).toContain('put 2 messages back into the mailbox of alice@example.com\n')
    expect(await inbox(place)).toEqual(['1000.a.h,S=7:2,S', '2000.b.h:2,'])
    expect(await readdir(place.file('Maildir/alice/.Trash/cur'))).toEqual([])
    const again = await place.mailtap(['mailbox', 'undelete', 'alice'])
    expect([again.code, again.out]).toEqual([
      0,
      'put 0 messages back into the mailbox of alice@example.com\n',
    ])
  })

  test('changes nothing with -n', async () => {
    const place = await deletedMail()
    const { out } = await place.mailtap(['mailbox', 'undelete', 'alice', '-n', '--json'])
    expect(JSON.parse(out)).toMatchObject([{ uidl: '1000.a.h' }, { uidl: '2000.b.h' }])
    expect(await inbox(place)).toEqual([])
  })

  test.each([
    ['its UIDL', '2000.b.h', '2000.b.h:2,'],
    ['its Message-ID', '<a.1@b>', '1000.a.h,S=7:2,S'],
    ['its Message-ID without brackets', 'a.1@b', '1000.a.h,S=7:2,S'],
  ])('finds one message by %s', async (_, id, name) => {
    const place = await deletedMail()
    const { code } = await place.mailtap(['mailbox', 'undelete', 'alice', '--message', id])
    expect(code).toBe(0)
    expect(await inbox(place)).toEqual([name])
  })

  test('puts nothing back when one of the messages is not there', async () => {
    const place = await deletedMail()
    const ids = ['--message', '2000.b.h', '--message', 'no@header']
    const outcome = await place.mailtap(['mailbox', 'undelete', 'alice', ...ids])
    expect([outcome.code, oneLine(outcome)]).toEqual([
      65,
      'not in the trash: no@header; nothing was put back',
    ])
    expect(await inbox(place)).toEqual([])
  })

  test('takes a time, and says which it takes', async () => {
    const place = await deletedMail()
    const since = (time: string) => place.mailtap(['mailbox', 'undelete', 'alice', '--since', time])
    expect((await since('2100-01-01')).out).toContain('put 0 messages')
    expect((await since('yesterday')).code).toBe(64)
    expect((await since('2026-13-01')).code).toBe(64)
    expect((await since('1h')).out).toContain('put 2 messages')
  })

  test('knows nobody who is not there', async () => {
    const place = await deletedMail()
    expect((await place.mailtap(['mailbox', 'undelete', 'ghost'])).code).toBe(67)
  })
})
