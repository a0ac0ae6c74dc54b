/**
 * What strangers must not reach: other servers through this one, and files outside the domain
 * directories.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { deliver, fetchAll, SENDER, stillAnswers } from '../helpers/mail-talk.js'
import { ESCAPING_RECIPIENTS, ESCAPING_USERS } from '../helpers/path-vectors.js'
import { runProgram, testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ALICE = `alice@${DOMAIN}`
const MESSAGE = 'Subject: one\r\n\r\none\r\n'
/** A session takes 20 mistakes; these come in fewer. */
const AT_ONCE = 8

let site: Site
afterEach(() => site.remove())

describe('relaying', () => {
  testWith(['nmap'], 'is found by none of the tests of nmap', async () => {
    site = await Site.create()
    await site.users('alice')
    const server = await site.start()
    const script = ['-n', '-Pn', '-sT', '--script', '+smtp-open-relay', '-p']
    const scan = await runProgram('nmap', [...script, String(server.port('smtp')), '127.0.0.1'])
    expect(scan, scan.stderr).toMatchObject({ code: 0 })
    const report = scan.stdout.toString()
    expect(report).toMatch(/Server doesn't seem to be an open relay, all tests failed/)
    // The script stops early when something goes wrong: the log shows that it asked.
    expect(server.output.match(/smtp refused/g)?.length ?? 0).toBeGreaterThanOrEqual(10)
    expect(server.output).not.toContain('smtp accepted')
    await stillAnswers(server.ports)
  })
})

/** Asks for recipients that lead out of the domain; none is accepted. */
async function askRecipients(server: RunningServer): Promise<void> {
  for (let at = 0; at < ESCAPING_RECIPIENTS.length; at += AT_ONCE) {
    const talk = await Talk.to(server.port('smtp'))
    await talk.reply()
    await talk.ask('EHLO client.example')
    expect(await talk.ask(`MAIL FROM:<${SENDER}>`)).toMatch(/^250 /)
    for (const path of ESCAPING_RECIPIENTS.slice(at, at + AT_ONCE)) {
      const reply = await talk.ask(`RCPT TO:${path.replace('local', DOMAIN)}`)
      expect(reply, path).toMatch(/^(550 5\.(1\.1|1\.2|7\.1)|501 5\.(1\.3|5\.[24])|553 5\.) ?/)
    }
    expect(await talk.ask('DATA')).toMatch(/^554 5\.5\.1 /)
    talk.close()
  }
}

/** Logs in under names that lead out of the domain, by USER and by AUTH; none gets in. */
async function askUsers(server: RunningServer): Promise<void> {
  for (const name of ESCAPING_USERS) {
    const talk = await Talk.to(server.port('pop3'))
    await talk.line()
    const user = name.replace('local', DOMAIN)
    const reply = await talk.ask(`USER ${user}`)
    if (reply.startsWith('+OK')) {
      expect(await talk.ask(`PASS ${PASSWORD}`), name).toMatch(/^-ERR \[AUTH\]/)
    } else expect(reply, name).toMatch(/^-ERR/)
    talk.close()
    const plain = Buffer.from(`\0${user}\0${PASSWORD}`, 'latin1').toString('base64')
    const other = await Talk.to(server.port('pop3'))
    await other.line()
    expect(await other.ask(`AUTH PLAIN ${plain}`), name).toMatch(/^-ERR/)
    expect(await other.ask('STAT'), name).toMatch(/^-ERR/)
    other.close()
  }
}

/** The absolute paths of a trace of file system calls. */
function pathsIn(trace: string, folder: string): string[] {
  const quoted = [...trace.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!)
  // An empty path asks about a file that is open already.
  const named = quoted.filter((text) => text !== '')
  return [...new Set(named.map((text) => resolve(folder, unescaped(text))))]
}

/** strace writes bytes that are not printable in octal. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{1,3}|.)/g, (_, code: string) =>
    /^[0-7]/.test(code) ? String.fromCodePoint(Number.parseInt(code, 8)) : code,
  )
}

describe('a line without end (E9)', () => {
  test('is cut off after 64 KiB, with one reply', async () => {
    site = await Site.create()
    const server = await site.start()
    for (const start of ['MAIL FROM:<', 'MAIL FROM:<a@b.example> X=', '']) {
      const talk = await Talk.to(server.port('smtp'))
      expect(await talk.reply()).toMatch(/^220 /)
      talk.send(start)
      const piece = Buffer.alloc(100_000, 'x')
      for (let sent = 0; sent < 10_000_000; sent += piece.length) await talk.sendAll(piece)
      expect(await talk.rest()).toMatch(/^500 5\.5\.2 [^\r]*\r\n$/)
    }
    await stillAnswers(server.ports)
  })
})

describe('names that lead out of the domain (E4, E5)', () => {
  testWith(['strace'], 'open, stat or make no file outside the data directories', async () => {
    site = await Site.create()
    await site.users('alice')
    const trace = join(site.folder, 'trace')
    // -D: the server stays our child, so that signals and its end reach it and us.
    const options = ['-D', '-f', '-qq', '-s', '4096', '-e', 'trace=%file', '-o', trace]
    const server = await site.start(['strace', ...options])
    // Loads what is loaded at the first use.
    await deliver(server.port('smtp'), ALICE, MESSAGE)
    await fetchAll(server.port('pop3'), ALICE, PASSWORD)
    const before = (await readFile(trace)).length

    await askRecipients(server)
    await askUsers(server)
    expect(await deliver(server.port('smtp'), ALICE, MESSAGE)).toMatch(/^250 /)
    await stillAnswers(server.ports)
    expect(await server.kill('SIGTERM')).toMatchObject({ code: 0 })

    const seen = (await readFile(trace)).subarray(before).toString('latin1')
    const paths = pathsIn(seen, '/relative')
    // The trace is alive: it holds the delivery.
    expect(paths.some((path) => path.startsWith(join(site.mail, 'alice', 'new')))).toBe(true)
    // What counts descriptors opens the last: it holds nothing.
    const roots = [site.mail, join(site.folder, 'state'), '/dev/null']
    const within = (path: string): boolean =>
      roots.some((root) => path === root || path.startsWith(`${root}/`))
    expect(paths.filter((path) => !within(path))).toEqual([])
    const users = paths.filter((path) => path.startsWith(`${site.mail}/`))
    const parts = users.map((path) => path.slice(site.mail.length + 1).split('/'))
    for (const [first] of parts) expect(['alice', '.users', '.aliases']).toContain(first)
  })

  test('are no users that can be made, in a file of aliases no way out', async () => {
    site = await Site.create()
    await site.users('alice')
    for (const name of ['../../etc/passwd', '/etc/passwd', '..', 'a/../../b', '.']) {
      const made = await site.command(['user', 'add', `${name}@${DOMAIN}`, '--generate'])
      expect(made.code, name).toBeGreaterThanOrEqual(64)
      expect(made.stdout.toString(), name).toBe('')
    }
    await appendFile(
      join(site.mail, '.aliases'),
      'passwd: /etc/passwd\nout: "../../x"\nrun: "|id > /tmp/x"\nread: :include:/etc/shadow\n',
    )
    const passwd = await readFile('/etc/passwd')
    const server = await site.start()
    for (const name of ['passwd', 'out', 'run', 'read']) {
      expect(await deliver(server.port('smtp'), ALICE, MESSAGE)).toMatch(/^250 /)
      const talk = await Talk.to(server.port('smtp'))
      await talk.reply()
      await talk.ask('EHLO client.example')
      await talk.ask(`MAIL FROM:<${SENDER}>`)
      const recipient = await talk.ask(`RCPT TO:<${name}@${DOMAIN}>`)
      // A file may be an alias; that this one is no mailbox shows when it is opened.
      if (name === 'passwd') {
        await talk.ask('DATA')
        expect(await talk.ask('Subject: x\r\n\r\nroot::0:0\r\n.')).toMatch(/^(4|5)\d\d [45]\./)
      } else expect(recipient, name).toMatch(/^(4|5)\d\d [45]\./)
      talk.close()
    }
    expect(await readFile('/etc/passwd')).toEqual(passwd)
  })
})
