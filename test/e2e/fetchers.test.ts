/**
 * Mail programs that we did not write fetch from a running server: in clear, with STLS and inside
 * TLS, trusting only its certificate.
 */
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { deliver, fetchAll, SENDER } from '../helpers/mail-talk.js'
import { type Ended, inHome, runProgram, testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'

const MESSAGE = [
  `From: Bob <${SENDER}>`,
  'Subject: for you',
  'Message-ID: <two@elsewhere.example>',
  'Content-Type: text/plain; charset=utf-8',
  '',
  '.',
  '..two',
  '.three dots follow...',
  'From here on: grüße, 漢字 and ✉',
  'x'.repeat(990),
  '',
  'end',
  '',
].join('\r\n')
/** Whom getmail may deliver as: it refuses to write mail as root. */
const NOBODY = 65_534

type Mode = 'clear' | 'stls' | 'implicit'

interface Job {
  readonly mode: Mode
  readonly port: number
  readonly user: string
  readonly home: string
  /** Certificate file to trust. */
  readonly trust: string
}

interface Fetched extends Ended {
  /** The message as the program gives it to its user. */
  readonly message: Buffer
}

interface Fetcher {
  readonly modes: readonly Mode[]
  /** Other programs that running it needs. */
  readonly needs?: readonly string[]
  /** It deletes what it has fetched. */
  readonly deletes: boolean
  readonly fetch: (this: void, job: Job) => Promise<Fetched>
}

const ALL: readonly Mode[] = ['clear', 'stls', 'implicit']
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`

/** Writes a file that only its owner may read: some of the programs insist on that. */
async function settings(home: string, name: string, lines: readonly string[]): Promise<string> {
  const path = join(home, name)
  await writeFile(path, `${lines.join('\n')}\n`)
  await chmod(path, 0o600)
  return path
}

/** The only message in a Maildir. */
async function onlyMessage(maildir: string): Promise<Buffer> {
  const names = await readdir(join(maildir, 'new')).catch(() => [])
  return names.length === 1 ? readFile(join(maildir, 'new', names[0]!)) : Buffer.alloc(0)
}

async function madeMaildir(home: string): Promise<string> {
  const maildir = join(home, 'Mail')
  for (const part of ['', 'new', 'cur', 'tmp']) await mkdir(join(maildir, part))
  return maildir
}

const curl: Fetcher = {
  modes: ALL,
  deletes: false,
  async fetch({ mode, port, user, home, trust }) {
    const scheme = mode === 'implicit' ? 'pop3s' : 'pop3'
    const lines = [`user = ${quoted(`${user}:${PASSWORD}`)}`, `cacert = ${quoted(trust)}`]
    const args = ['-sS', '-K', '-', ...(mode === 'stls' ? ['--ssl-reqd'] : [])]
    const ended = await runProgram('curl', [...args, `${scheme}://localhost:${port}/1`], {
      home,
      input: `${lines.join('\n')}\n`,
    })
    return { ...ended, message: ended.stdout }
  },
}

const fetchmail: Fetcher = {
  modes: ALL,
  deletes: true,
  async fetch({ mode, port, user, home, trust }) {
    const tls = { clear: "sslproto ''", stls: "sslproto 'auto'", implicit: 'ssl' }[mode]
    const check = mode === 'clear' ? '' : ` sslcertck sslcertfile ${quoted(trust)}`
    const file = join(home, 'mail')
    const rc = await settings(home, 'fetchmailrc', [
      'set no bouncemail',
      'set invisible',
      `poll localhost protocol pop3 service ${port} auth password`,
      `  user ${quoted(user)} password ${quoted(PASSWORD)} ${tls}${check}`,
      `  nokeep mda ${quoted(`tee ${file}`)}`,
    ])
    const args = ['-f', rc, '--nosyslog', '--timeout', '20']
    const ended = await runProgram('fetchmail', args, { home, env: { FETCHMAILHOME: home } })
    return { ...ended, message: await readFile(file).catch(() => Buffer.alloc(0)) }
  },
}

const mpop: Fetcher = {
  modes: ALL,
  deletes: true,
  async fetch({ mode, port, user, home, trust }) {
    const maildir = await madeMaildir(home)
    const rc = await settings(home, 'mpoprc', [
      'account default',
      'host localhost',
      `port ${port}`,
      'auth user',
      `user ${user}`,
      'passwordeval cat',
      ...(mode === 'clear' ? ['tls off'] : ['tls on', `tls_trust_file ${trust}`]),
      `tls_starttls ${mode === 'stls' ? 'on' : 'off'}`,
      'keep off',
      'received_header off',
      `delivery maildir ${maildir}`,
    ])
    const ended = await runProgram('mpop', ['-C', rc], { home, input: PASSWORD })
    return { ...ended, message: await onlyMessage(maildir) }
  },
}

const getmail: Fetcher = {
  // It knows no STLS.
  modes: ['clear', 'implicit'],
  needs: process.getuid?.() === 0 ? ['setpriv'] : [],
  deletes: true,
  async fetch({ mode, port, user, home, trust }) {
    const maildir = await madeMaildir(home)
    const rc = await settings(home, 'getmailrc', [
      '[retriever]',
      `type = ${mode === 'implicit' ? 'SimplePOP3SSLRetriever' : 'SimplePOP3Retriever'}`,
      'server = localhost',
      `port = ${port}`,
      `username = ${user}`,
      `password = ${PASSWORD}`,
      ...(mode === 'implicit' ? [`ca_certs = ${trust}`] : []),
      '[destination]',
      'type = Maildir',
      `path = ${maildir}/`,
      '[options]',
      'delete = true',
      'delivered_to = false',
      'received = false',
    ])
    const args = ['--getmaildir', home, '--rcfile', rc]
    const ended = await asNobody('getmail', args, home)
    return { ...ended, message: await onlyMessage(maildir) }
  },
}

/** Runs a program as somebody other than root, who gets the home and all that is in it. */
async function asNobody(program: string, args: readonly string[], home: string): Promise<Ended> {
  if (process.getuid?.() !== 0) return runProgram(program, args, { home })
  for (const name of ['.', ...(await readdir(home, { recursive: true }))])
    await chown(join(home, name), NOBODY, NOBODY)
  const identity = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  return runProgram('setpriv', [...identity, program, ...args], { home })
}

const python3: Fetcher = {
  modes: ALL,
  deletes: true,
  async fetch({ mode, port, user, home, trust }) {
    const script = join(import.meta.dirname, 'poplib-fetch.py')
    const args = [script, mode, String(port), user, trust]
    const ended = await runProgram('python3', args, { home, input: PASSWORD })
    return { ...ended, message: ended.stdout }
  },
}

const FETCHERS = { curl, fetchmail, mpop, getmail, python3 }
const HOW: Readonly<Record<Mode, string>> = {
  clear: 'in clear',
  stls: 'with STLS',
  implicit: 'inside TLS',
}

/** What comes after the header: programs may add header lines of their own. */
function bodyOf(message: Buffer): string {
  const text = message.toString().replaceAll('\r\n', '\n')
  return text.slice(text.indexOf('\n\n'))
}

describe('mail fetched by', () => {
  let site: Site
  let server: RunningServer

  beforeAll(async () => {
    site = await Site.create()
    server = await site.start()
  })
  afterAll(() => site.remove())

  for (const [program, { modes, needs = [], deletes, fetch }] of Object.entries(FETCHERS)) {
    for (const mode of modes) {
      testWith([program, ...needs], `${program} ${HOW[mode]} is what was sent`, async () => {
        const name = `${program}-${mode}`
        await site.users(name)
        const user = `${name}@${DOMAIN}`
        expect(await deliver(server.port('smtp'), user, MESSAGE)).toMatch(/^250 /)
        const port = server.port(mode === 'implicit' ? 'pop3s' : 'pop3')
        const fetched = await inHome(async (home) => {
          const trust = await site.trustedBy(join(home, 'ca.pem'))
          return fetch({ mode, port, user, home, trust })
        })
        expect(fetched, fetched.stderr).toMatchObject({ code: 0 })
        expect(bodyOf(fetched.message)).toBe(bodyOf(Buffer.from(MESSAGE)))
        expect(fetched.message.toString()).toContain('Subject: for you')
        const left = await fetchAll(server.port('pop3'), user, PASSWORD)
        expect(left).toHaveLength(deletes ? 0 : 1)
      })
    }
  }
})
