/** What a running server hands to others is signed, and the records that `mailtap dkim txt` prints prove it. */
import { chmod } from 'node:fs/promises'
import { createTransport } from 'nodemailer'
import { afterEach, expect, test } from 'vitest'
import { verified, type Zone } from '../dkim/verifiers.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { startSmarthost } from '../relay/smarthost-server.js'

const ANY_PORT = '127.0.0.1:0'
const ALICE = `alice@${DOMAIN}`
const AWAY = 'away@far.example'
const PATIENCE = { timeout: 30_000, interval: 50 }
const HEADER = `From: Alice <${ALICE}>\r\nTo: ${AWAY}\r\nBcc: hidden@far.example\r\nSubject: signed\r\n`
/** Dots at the start of lines, blanks, blank lines at the end. */
const BODY = '.\r\n..two  \r\n\tx\r\n\r\n\r\n'

let site: Site
afterEach(() => site.remove())

async function serverTo(port: number): Promise<RunningServer> {
  site = await Site.create({ create: ['-s', ANY_PORT, '--submission', ANY_PORT] })
  await site.users('alice')
  await site.configure(`[relay]\nvia = ["smtp://127.0.0.1:${port}"]`)
  return site.start()
}

async function keys(...args: string[]): Promise<Zone> {
  const { code, stdout, stderr } = await site.command(['dkim', ...args, DOMAIN, '--json'])
  if (code !== 0) throw new Error(stderr)
  const all = JSON.parse(stdout.toString()) as { name: string; strings: string[] }[]
  return new Map(all.map(({ name, strings }) => [name, strings.join('')]))
}

function submit(server: RunningServer, raw: string): Promise<unknown> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.port('submission'),
    auth: { user: ALICE, pass: PASSWORD },
    tls: { rejectUnauthorized: false },
  })
  return transport.sendMail({ envelope: { from: ALICE, to: [AWAY] }, raw })
}

test('mail of a user is signed as it leaves, small or large, from the first key on', async () => {
  const { port, mails } = await startSmarthost()
  const server = await serverTo(port)
  await submit(server, `${HEADER}\r\n${BODY}`)
  await expect.poll(() => mails.length, PATIENCE).toBe(1)
  expect(mails[0]!.text).not.toContain('DKIM-Signature')

  const zone = await keys('generate')
  expect(await keys('txt')).toEqual(zone)
  // The server looks for new keys every ten seconds at most, and had seen that there was none.
  await expect
    .poll(
      async () => {
        await submit(server, `${HEADER}\r\n${BODY}`)
        return mails.some(({ text }) => text.startsWith('DKIM-Signature:'))
      },
      { timeout: 30_000, interval: 1_000 },
    )
    .toBe(true)
  const before = mails.length
  await submit(server, `${HEADER}\r\n${`${'x'.repeat(70)} \r\n`.repeat(10_000)}${BODY}`)
  await expect.poll(() => mails.some(({ text }) => text.length > 700_000), PATIENCE).toBe(true)
  expect(mails.length).toBeGreaterThan(before)
  for (const { text } of mails.filter((each) => each.text.startsWith('DKIM-'))) {
    expect(text).not.toContain('Bcc:')
    expect((await verified(text, zone)).map((line) => line.split(' ')[0])).toEqual(['pass', 'pass'])
  }
}, 90_000)

test('a key that cannot be used makes mail to others wait, and nothing is lost', async () => {
  const { port, mails } = await startSmarthost()
  const server = await serverTo(port)
  await keys('generate', '--algorithm', 'rsa', '-s', 'one')
  const file = `${site.mail}/.dkim/one.pem`
  await chmod(file, 0o644)
  await expect(submit(server, `${HEADER}\r\n${BODY}`)).rejects.toMatchObject({ responseCode: 451 })
  expect(mails).toEqual([])
  await chmod(file, 0o600)
  await submit(server, `${HEADER}\r\n${BODY}`)
  await expect
    .poll(() => mails.map(({ text }) => text.slice(0, 15)), PATIENCE)
    .toEqual(['DKIM-Signature:'])
})
