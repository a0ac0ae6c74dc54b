import { execFileSync } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { oneLine, type Outcome, Workplace } from './workplace.js'

const ALICE = 'alice@example.com'
const MESSAGE = 'Subject: x\n\nhello\n'
const MBOX = `From a@b Thu Jan  1 00:00:00 1970\n${MESSAGE}\n`
const PAST = /^alice@example\.com: (\d+) more messages? of (\d+) octets would go past the quota of /
const GOING_ON = expect.stringMatching(/^mailtap: warning: .* 2 messages; going on\n$/)

let place: Workplace
beforeEach(async () => {
  place = await Workplace.withFiles()
  await quota('2 messages')
})

const quota = (text: string): Promise<void> =>
  place.write('Maildir/.users/alice', `password = "{PLAIN}secret"\nquota = "${text}"\n`)

const deliver = (...more: string[]): Promise<Outcome> =>
  place.mailtap(['mailbox', 'deliver', ALICE, ...more], { input: MESSAGE })

async function messages(): Promise<number> {
  if (!place.has('Maildir/alice')) return 0
  const all = ['new', 'cur'].map((part) => readdir(place.file(`Maildir/alice/${part}`)))
  return (await Promise.all(all)).flat().length
}

/** A Maildir with these files. */
async function maildir(path: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const part of ['new', 'cur', 'tmp'])
    await mkdir(place.file(`${path}/${part}`), { recursive: true })
  for (const [name, content] of Object.entries(files)) await place.write(`${path}/${name}`, content)
}

describe('mailtap mailbox deliver', () => {
  test('says "later" when the mailbox is full, and with --force delivers all the same', async () => {
    await quota('300 bytes')
    const big = 'x'.repeat(150)
    const first = await place.mailtap(['mailbox', 'deliver', ALICE], { input: `${big}\n` })
    expect(first.code).toBe(0)
    const trial = await deliver('-n')
    const full = await place.mailtap(['mailbox', 'deliver', ALICE], { input: `${big}\n` })
    expect([full.code, oneLine(full)]).toEqual([
      75,
      `${ALICE}: this mailbox is full; try again when its owner has made room; --force delivers all the same`,
    ])
    expect([trial.code, trial.out]).toEqual([0, expect.stringContaining('would deliver')])
    expect(await messages()).toBe(1)
    expect((await deliver('--force')).code).toBe(0)
    expect(await messages()).toBe(2)
  })

  test('tells in a dry run that it would be full', async () => {
    await quota('1 messages')
    expect((await deliver()).code).toBe(0)
    const before = await messages()
    const trial = await deliver('-n')
    expect([trial.code, oneLine(trial)]).toEqual([75, expect.stringMatching(PAST)])
    expect(await messages()).toBe(before)
  })

  test('goes by the quota of the domain where the user has none, and never refuses the postmaster', async () => {
    const config = '[mailboxes]\nquota = "10 bytes"\n[domains."example.com"]\npath = "Maildir"\n'
    await place.write('mailtap.toml', config)
    await place.write('Maildir/.users/alice', '{PLAIN}secret\n')
    await place.write('Maildir/.users/postmaster', '{PLAIN}secret\n')
    expect((await deliver()).code).toBe(75)
    const postmaster = ['mailbox', 'deliver', 'Postmaster@example.com']
    expect((await place.mailtap(postmaster, { input: MESSAGE })).code).toBe(0)
  })
})

describe('mailtap mailbox import', () => {
  test.each([
    ['mbox', 'mail.mbox', MBOX.repeat(3)],
    ['maildir', 'old/cur/3.c.h', 'c\n'],
    ['dovecot', 'old/dovecot-uidlist', '3 V16 N9\n1 :1.a.h\n2 :2.b.h\n3 :3.c.h\n'],
  ])(
    'from %s refuses what goes past the quota before anything is written',
    async (from, name, content) => {
      await maildir('old', { 'new/1.a.h': 'a\n', 'cur/2.b.h:2,S': 'bb\n', 'cur/3.c.h': 'c\n' })
      await place.write(name, content)
      const importing = ['mailbox', 'import', '--from', from, name.replace(/\/.*/, ''), ALICE]
      for (const more of [[], ['-n']]) {
        const outcome = await place.mailtap([...importing, ...more])
        expect([outcome.code, oneLine(outcome)]).toEqual([75, expect.stringMatching(PAST)])
        expect(outcome.err).toContain('3 more messages')
        expect(await messages()).toBe(0)
      }
      const forced = await place.mailtap([...importing, '--force'])
      expect([forced.code, forced.err]).toEqual([0, GOING_ON])
      expect(await messages()).toBe(3)
    },
  )

  test('from a Maildir counts its folders, but neither its trash nor what is there already', async () => {
    const old = { 'new/1.a.h': 'a\n', '.Sent/cur/2.b.h': 'b\n', '.Trash/cur/3.c.h': 'c\n' }
    await maildir('old', old)
    const importing = ['mailbox', 'import', '--from', 'maildir', 'old', ALICE]
    expect((await place.mailtap(importing)).code).toBe(0)
    expect((await place.mailtap(importing)).code).toBe(0)
    await place.write('old/.Sent/cur/4.d.h', 'dd\n')
    const outcome = await place.mailtap(importing)
    expect([outcome.code, PAST.exec(oneLine(outcome))?.slice(1)]).toEqual([75, ['1', '3']])
    expect(place.has('Maildir/alice/.Sent/cur/4.d.h')).toBe(false)
  })

  test('from a pipe cannot tell whether it fits, and says so', async () => {
    execFileSync('mkfifo', [place.file('pipe')])
    const importing = ['mailbox', 'import', '--from', 'mbox', 'pipe', ALICE]
    const refused = await place.mailtap(importing)
    expect([refused.code, oneLine(refused)]).toEqual([64, expect.stringContaining('no file')])
    const forced = place.mailtap([...importing, '--force'])
    await place.write('pipe', MBOX)
    expect((await forced).code).toBe(0)
    expect(await messages()).toBe(1)
  })
})

describe('mailtap mailbox undelete', () => {
  test('refuses what goes past the quota, and with --force warns and puts it back', async () => {
    await maildir('Maildir/alice', { 'cur/1.a.h:2,S': 'a\n' })
    const trash = { 'cur/2.b.h:2,S': 'b\n', 'cur/3.c.h:2,S': 'c\n' }
    await maildir('Maildir/alice/.Trash', trash)
    const undelete = ['mailbox', 'undelete', ALICE]
    for (const more of [[], ['-n']]) {
      const outcome = await place.mailtap([...undelete, ...more])
      expect([outcome.code, PAST.exec(oneLine(outcome))?.slice(1)]).toEqual([75, ['2', '4']])
      expect(await messages()).toBe(1)
    }
    expect((await place.mailtap([...undelete, '--message', '2.b.h'])).code).toBe(0)
    const forced = await place.mailtap([...undelete, '--force'])
    expect([forced.code, forced.err]).toEqual([0, GOING_ON])
    expect(await messages()).toBe(3)
  })
})
