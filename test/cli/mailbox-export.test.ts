import { chmod, chown, mkdir, readdir, unlink, writeFile } from 'node:fs/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { oneLine, Workplace } from './workplace.js'

const ALICE = 'alice@example.com'
const BOX = 'Maildir/alice'
const text = (subject: string): string => `Subject: ${subject}\n\nhello\n`

let place: Workplace
beforeEach(async () => {
  place = await Workplace.withFiles()
  await place.write('Maildir/.users/alice', '{PLAIN}secret\n')
  for (const part of ['new', 'cur', 'tmp'])
    await mkdir(place.file(`${BOX}/${part}`), { recursive: true })
  await place.write(`${BOX}/new/1.one.h`, text('one'))
  await place.write(`${BOX}/new/3.three.h`, text('three'))
})

const exporting = (format: string): Promise<{ code: number | null; out: string; err: string }> =>
  place.mailtap(['mailbox', 'export', ALICE, 'copy', '--format', format])

/** What stands beside the config: the export, and no draft of it. */
const beside = async (): Promise<string[]> =>
  (await readdir(place.path)).filter((name) => name.startsWith('copy'))

describe('mailtap mailbox export', () => {
  test('to an mbox leaves out what cannot be read, says so, and writes the rest', async () => {
    await place.write(`${BOX}/new/2.wrong.h,S=20,W=999`, text('two'))
    await mkdir(place.file(`${BOX}/new/4.directory.h,S=5,W=5`))
    await mkdir(place.file(`${BOX}/new/5.directory.h`))
    const { code, out, err } = await exporting('mbox')
    expect([code, out]).toEqual([65, 'wrote 2 messages to copy\n'])
    expect(err.trimEnd().split('\n')).toEqual([
      'mailtap: warning: 5.directory.h is left out: gone, or no message',
      expect.stringMatching(/warning: 2\.wrong\.h,S=20,W=999 is left out: .*999 octets/),
      expect.stringMatching(/warning: 4\.directory\.h,S=5,W=5 is left out: .*not a regular file/),
      `mailtap: ${ALICE}: 3 messages were left out of copy`,
    ])
    const written = await place.read('copy')
    expect(written.match(/^Subject: .*/gm)).toEqual(['Subject: one', 'Subject: three'])
    expect(await beside()).toEqual(['copy'])
  })

  test.each(['mbox', 'maildir'])(
    'to %s leaves out a message that vanishes meanwhile',
    async (format) => {
      const large = `${'x'.repeat(99)}\n`.repeat(500_000)
      await place.write(`${BOX}/new/0.large.h`, `Subject: large\n\n${large}`)
      // Too large to be read ahead.
      await place.write(`${BOX}/new/2.two.h`, `Subject: two\n\n${large.slice(0, 100_000)}`)
      const running = exporting(format)
      // The list of messages is made before the draft is.
      await expect.poll(beside, { interval: 1, timeout: 20_000 }).not.toEqual([])
      await unlink(place.file(`${BOX}/new/2.two.h`))
      const { code, out, err } = await running
      expect([code, out]).toEqual([65, 'wrote 3 messages to copy\n'])
      expect(err).toContain('warning: 2.two.h is left out: ')
      expect(await beside()).toEqual(['copy'])
    },
  )

  test('to a Maildir leaves out what is no message, says so, and copies the rest', async () => {
    await mkdir(place.file(`${BOX}/new/5.directory.h`))
    const { code, out, err } = await exporting('maildir')
    expect([code, out]).toEqual([65, 'wrote 2 messages to copy\n'])
    expect(err).toContain('warning: 5.directory.h is left out: ')
    expect(err).toContain(`mailtap: ${ALICE}: 1 message was left out of copy\n`)
    expect(await readdir(place.file('copy/new'))).toHaveLength(2)
    expect(await beside()).toEqual(['copy'])
  })

  test.each(['mbox', 'maildir'])('to %s that fails leaves nothing behind', async (format) => {
    await writeFile(place.file(`${BOX}/mailtap-uidl`), 'no such file of ours')
    const outcome = await exporting(format)
    expect(outcome.code).not.toBe(0)
    oneLine(outcome)
    expect(await beside()).toEqual([])
  })

  test('leaves out what only others may read', async ({ skip }) => {
    if (process.getuid?.() !== 0)
      skip('only root can give files away: run these tests as root, too')
    const uid = 1_000
    for (const name of ['', 'mailtap.toml', 'Maildir', 'Maildir/.users', 'Maildir/.users/alice'])
      await chown(place.file(name), uid, uid)
    for (const name of ['', '/new', '/cur', '/tmp', '/new/1.one.h'])
      await chown(place.file(`${BOX}${name}`), uid, uid)
    await chmod(place.file(`${BOX}/new/3.three.h`), 0o600)
    for (const format of ['mbox', 'maildir']) {
      const args = ['mailbox', 'export', ALICE, `copy-${format}`, '--format', format]
      const { code, out, err } = await place.mailtap(args, { uid })
      expect([code, out]).toEqual([65, `wrote 1 messages to copy-${format}\n`])
      expect(err).toContain('warning: 3.three.h is left out: ')
    }
  })
})
