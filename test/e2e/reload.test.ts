/**
 * A running server takes up what changes: users at once, domains and aliases at SIGHUP, a broken
 * config never.
 */
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { deliver, logIn, SENDER } from '../helpers/mail-talk.js'
import { runProgram, testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, PROGRAM, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const MESSAGE = 'Subject: one\r\n\r\none\r\n'
/** product.md promises a second for what changes on disk. */
const SOON_MS = 1_000

let site: Site
afterEach(() => site.remove())

async function started(): Promise<RunningServer> {
  site = await Site.create()
  await site.users('alice')
  return site.start()
}

/** The reply to RCPT. */
async function rcpt(server: RunningServer, to: string): Promise<string> {
  const talk = await Talk.to(server.port('smtp'))
  await talk.reply()
  await talk.ask('EHLO client.example')
  await talk.ask(`MAIL FROM:<${SENDER}>`)
  const reply = await talk.ask(`RCPT TO:<${to}>`)
  talk.close()
  return reply
}

/** The reply to PASS. */
async function login(server: RunningServer, user: string): Promise<string> {
  const talk = await Talk.to(server.port('pop3'))
  const reply = await logIn(talk, user, PASSWORD)
  talk.send('QUIT\r\n')
  await talk.rest()
  return reply
}

/** Sends SIGHUP and waits for what the server says about it. */
async function hangUp(server: RunningServer, says: RegExp): Promise<void> {
  server.signal('SIGHUP')
  await server.says(says)
}

describe('a user file', () => {
  test('that a shell script drops works within a second, and one that is removed stops working', async () => {
    const server = await started()
    const bob = `bob@${DOMAIN}`
    // Asked before it is there: a "no" must not be remembered for longer than that.
    expect(await rcpt(server, bob)).toMatch(/^550 5\.1\.1 /)
    expect(await login(server, bob)).toMatch(/^-ERR \[AUTH\]/)
    const script = '"$0" "$1" hash --password-stdin > "$2"'
    const args = ['-c', script, process.execPath, PROGRAM, site.userFile('bob')]
    const dropped = await runProgram('sh', args, { input: `${PASSWORD}\n` })
    expect(dropped, dropped.stderr).toMatchObject({ code: 0 })
    await new Promise((resolve) => setTimeout(resolve, SOON_MS))
    expect(await rcpt(server, bob)).toMatch(/^250 /)
    expect(await deliver(server.port('smtp'), bob, MESSAGE)).toMatch(/^250 /)
    expect(await login(server, bob)).toMatch(/^\+OK 1 /)

    await site.dropUser('bob')
    await new Promise((resolve) => setTimeout(resolve, SOON_MS))
    expect(await rcpt(server, bob)).toMatch(/^550 5\.1\.1 /)
    expect(await login(server, bob)).toMatch(/^-ERR \[AUTH\]/)
    expect(await rcpt(server, `alice@${DOMAIN}`)).toMatch(/^250 /)
  })

  test('made, changed and removed by mailtap user does, too', async () => {
    const server = await started()
    const carol = `carol@${DOMAIN}`
    const user = (verb: string, ...options: string[]) =>
      site.command(['user', verb, carol, ...options], { input: `${PASSWORD}\n` })
    expect(await user('add', '--password-stdin')).toMatchObject({ code: 0 })
    await new Promise((resolve) => setTimeout(resolve, SOON_MS))
    expect(await rcpt(server, carol)).toMatch(/^250 /)
    expect(await login(server, carol)).toMatch(/^\+OK/)
    expect(await user('passwd', '--generate')).toMatchObject({ code: 0 })
    await new Promise((resolve) => setTimeout(resolve, SOON_MS))
    expect(await login(server, carol)).toMatch(/^-ERR \[AUTH\]/)
    expect(await user('passwd', '--password-stdin')).toMatchObject({ code: 0 })
    expect(await user('remove')).toMatchObject({ code: 0 })
    await new Promise((resolve) => setTimeout(resolve, SOON_MS))
    expect(await rcpt(server, carol)).toMatch(/^550 5\.1\.1 /)
    expect(await login(server, carol)).toMatch(/^-ERR \[AUTH\]/)
  })
})

describe('SIGHUP', () => {
  test('takes up a new domain and a new alias, and drops no session', async () => {
    const server = await started()
    const session = await Talk.to(server.port('smtp'))
    await session.reply()
    expect(await rcpt(server, 'alice@club.example')).toMatch(/^550 5\.7\.1 /)
    expect(await rcpt(server, `sales@${DOMAIN}`)).toMatch(/^550 5\.1\.1 /)

    const club = join(site.folder, 'club')
    const more = ['create', '-a', '-o', site.config, '-d', `club.example=${club}`]
    const made = await runProgram(process.execPath, [PROGRAM, ...more, '-u', 'alice', '--generate'])
    expect(made, made.stderr).toMatchObject({ code: 0 })
    await appendFile(join(site.mail, '.aliases'), 'sales: alice\n')
    await hangUp(server, /config reloaded/)

    expect(await rcpt(server, 'alice@club.example')).toMatch(/^250 /)
    expect(await rcpt(server, `sales@${DOMAIN}`)).toMatch(/^250 /)
    expect(await deliver(server.port('smtp'), `sales@${DOMAIN}`, MESSAGE)).toMatch(/^250 /)
    expect(await login(server, `alice@${DOMAIN}`)).toMatch(/^\+OK 1 /)
    expect(await session.ask('NOOP')).toMatch(/^250 /)
  })

  test('keeps the old config when the new one is bad, and says what is wrong and where', async () => {
    const server = await started()
    const good = await readFile(site.config, 'utf8')
    await site.configure('[domains."club.example"]\npat = "club"')
    await hangUp(server, /config not reloaded/)
    const lines = good.split('\n').length
    const place = new RegExp(`mailtap\\.toml:${lines + 2}:\\d+`)
    expect(server.output).toMatch(place)
    expect(await rcpt(server, `alice@${DOMAIN}`)).toMatch(/^250 /)
    expect(await rcpt(server, 'alice@club.example')).toMatch(/^550 5\.7\.1 /)

    await writeFile(site.config, good)
    await hangUp(server, /config reloaded/)
    expect(await rcpt(server, `alice@${DOMAIN}`)).toMatch(/^250 /)
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  })

  testWith(['openssl'], 'takes up a new certificate for whoever comes next', async () => {
    site = await Site.create()
    const [cert, key] = [join(site.folder, 'cert.pem'), join(site.folder, 'key.pem')]
    await selfSign(cert, key)
    await site.configure('[tls]\ncert = "cert.pem"\nkey = "key.pem"')
    const server = await site.start()
    const first = await fingerprint(server.port('pop3s'))
    expect(first).not.toBe('')
    await selfSign(cert, key)
    expect(await fingerprint(server.port('pop3s'))).toBe(first)
    await hangUp(server, /config reloaded/)
    expect(await fingerprint(server.port('pop3s'))).not.toBe(first)
  })
})

async function selfSign(cert: string, key: string): Promise<void> {
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const args = ['req', '-x509', '-days', '2', ...curve, ...name, '-keyout', key, '-out', cert]
  const made = await runProgram('openssl', args)
  expect(made, made.stderr).toMatchObject({ code: 0 })
}

async function fingerprint(port: number): Promise<string> {
  const talk = await Talk.securely(port)
  const { fingerprint: found } = talk
  talk.close()
  return found
}
