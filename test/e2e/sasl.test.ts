/**
 * Mail programs that we did not write log in to a running server by SASL, each with the mechanism
 * that it was told, to accounts that `mailtap user add` made.
 */
import { chmod, copyFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { deliver, fetchAll, SENDER } from '../helpers/mail-talk.js'
import { type Ended, inHome, runProgram, testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'

const MESSAGE = `From: <${SENDER}>\r\nSubject: grüße\r\n\r\nhello\r\n`

interface Job {
  readonly port: number
  readonly user: string
  readonly home: string
  /** Certificate file to trust. */
  readonly trust: string
}

const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`

async function settings(home: string, name: string, lines: readonly string[]): Promise<string> {
  const path = join(home, name)
  await writeFile(path, `${lines.join('\n')}\n`)
  await chmod(path, 0o600)
  return path
}

function curl(mechanism: string, tls: boolean) {
  return async ({ port, user, home, trust }: Job): Promise<Ended> => {
    const lines = [
      `user = ${quoted(`${user}:${PASSWORD}`)}`,
      `login-options = "AUTH=${mechanism}"`,
      `cacert = ${quoted(trust)}`,
    ]
    const args = ['-sS', '-v', '-K', '-', ...(tls ? ['--ssl-reqd'] : [])]
    return runProgram('curl', [...args, `pop3://localhost:${port}/1`], {
      home,
      input: `${lines.join('\n')}\n`,
    })
  }
}

function mpop(auth: string, tls: boolean) {
  return async ({ port, user, home, trust }: Job): Promise<Ended> => {
    const rc = await settings(home, 'mpoprc', [
      'account default',
      'host localhost',
      `port ${port}`,
      `auth ${auth}`,
      `user ${user}`,
      'passwordeval cat',
      ...(tls ? ['tls on', 'tls_starttls on', `tls_trust_file ${trust}`] : ['tls off']),
      'keep on',
      'received_header off',
      `delivery mbox ${join(home, 'mbox')}`,
    ])
    return runProgram('mpop', ['-d', '-C', rc], { home, input: PASSWORD })
  }
}

function fetchmail(auth: string, tls: boolean) {
  return async ({ port, user, home, trust }: Job): Promise<Ended> => {
    const check = tls ? `sslproto 'auto' sslcertck sslcertfile ${quoted(trust)}` : "sslproto ''"
    const rc = await settings(home, 'fetchmailrc', [
      'set no bouncemail',
      `poll localhost protocol pop3 service ${port} auth ${auth}`,
      `  user ${quoted(user)} password ${quoted(PASSWORD)} ${check}`,
      `  keep mda ${quoted(`tee ${join(home, 'mail')}`)}`,
    ])
    const args = ['-v', '-v', '-f', rc, '--nosyslog', '--timeout', '20']
    const ended = await runProgram('fetchmail', args, { home, env: { FETCHMAILHOME: home } })
    return { ...ended, stderr: ended.stderr + ended.stdout.toString() }
  }
}

interface Case {
  readonly program: string
  readonly how: string
  /** Appears in what the program says it does. */
  readonly says: RegExp
  readonly run: (this: void, job: Job) => Promise<Ended>
}

/** Makes a user with the command, so that all that its scheme can serve is served. */
async function addUser(site: Site, name: string, ...more: string[]): Promise<void> {
  const args = ['user', 'add', `${name}@${DOMAIN}`, '--password-stdin', ...more]
  const { code, stderr } = await site.command(args, { input: `${PASSWORD}\n` })
  if (code !== 0) throw new Error(`user add ended with ${code}: ${stderr}`)
}

function suite(scheme: readonly string[], config: string, cases: readonly Case[]): void {
  let site: Site
  let server: RunningServer

  beforeAll(async () => {
    site = await Site.create()
    await site.configure(config)
    server = await site.start()
  })
  afterAll(() => site.remove())

  for (const [index, { program, how, says, run }] of cases.entries()) {
    testWith([program], `${program} ${how}`, async () => {
      const name = `user${index}`
      await addUser(site, name, ...scheme)
      const user = `${name}@${DOMAIN}`
      expect(await deliver(server.port('smtp'), user, MESSAGE)).toMatch(/^250 /)
      const ended = await inHome(async (home) => {
        const trust = await site.trustedBy(join(home, 'ca.pem'))
        return run({ port: server.port('pop3'), user, home, trust })
      })
      const said = ended.stderr + ended.stdout.toString()
      expect(ended, said).toMatchObject({ code: 0 })
      expect(said).toMatch(says)
      expect(server.output).toMatch(new RegExp(`pop3 login .*${name}@`))
      expect(server.output).not.toContain(PASSWORD)
      expect(await fetchAll(server.port('pop3'), user, PASSWORD)).toHaveLength(1)
    })
  }
}

describe('to accounts with a hash and keys, by SASL:', () => {
  suite([], '', [
    { program: 'curl', how: 'PLAIN', says: /AUTH PLAIN/, run: curl('PLAIN', false) },
    { program: 'curl', how: 'LOGIN with STLS', says: /AUTH LOGIN/, run: curl('LOGIN', true) },
    {
      program: 'mpop',
      how: 'SCRAM-SHA-256',
      says: /AUTH SCRAM-SHA-256/,
      run: mpop('scram-sha-256', false),
    },
    {
      program: 'mpop',
      how: 'SCRAM-SHA-256 with STLS',
      says: /AUTH SCRAM-SHA-256/,
      run: mpop('scram-sha-256', true),
    },
    { program: 'mpop', how: 'whatever it likes best', says: /AUTH /, run: mpop('on', true) },
    { program: 'mpop', how: 'PLAIN', says: /AUTH PLAIN/, run: mpop('plain', true) },
  ])
})

describe('to accounts with a password in clear, by SASL:', () => {
  suite(['-s', 'plain'], '[pop3]\napop = "on"\n', [
    { program: 'curl', how: 'CRAM-MD5', says: /AUTH CRAM-MD5/, run: curl('CRAM-MD5', false) },
    { program: 'mpop', how: 'CRAM-MD5', says: /AUTH CRAM-MD5/, run: mpop('cram-md5', false) },
    {
      program: 'mpop',
      how: 'SCRAM-SHA-256',
      says: /AUTH SCRAM-SHA-256/,
      run: mpop('scram-sha-256', true),
    },
    {
      program: 'fetchmail',
      how: 'CRAM-MD5',
      says: /AUTH CRAM-MD5/,
      run: fetchmail('cram-md5', false),
    },
    {
      program: 'fetchmail',
      how: 'any way it likes',
      says: /logged|APOP|AUTH/,
      run: fetchmail('any', true),
    },
  ])
})

describe('to an account with a name in UTF-8', () => {
  testWith(['python3'], "python's poplib logs in after UTF8", async () => {
    const site = await Site.create()
    try {
      const server = await site.start()
      await addUser(site, 'jörg')
      const user = `jörg@${DOMAIN}`
      expect(await deliver(server.port('smtp'), `postmaster@${DOMAIN}`, MESSAGE)).toMatch(/^250 /)
      await copyMail(site, 'postmaster', 'jörg')
      const script = join(import.meta.dirname, 'poplib-utf8.py')
      const args = [script, String(server.port('pop3')), user]
      const ended = await runProgram('python3', args, { input: PASSWORD })
      expect(ended, ended.stderr).toMatchObject({ code: 0 })
      expect(ended.stdout.toString()).toContain('Subject: grüße\r\n')
    } finally {
      await site.remove()
    }
  })
})

/** The senders of the other tests know no SMTPUTF8. */
async function copyMail(site: Site, from: string, to: string): Promise<void> {
  const folder = join(site.mail, from, 'new')
  for (const name of await readdir(folder)) {
    await copyFile(join(folder, name), join(site.mail, to, 'new', name))
  }
}
