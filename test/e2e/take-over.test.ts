/**
 * A mailbox moves from another server's care into ours: what the real program told its clients by
 * UIDL and LIST is what we tell them, byte for byte.
 */
import { chownSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { deliver, expectOk, logIn } from '../helpers/mail-talk.js'
import { courier, dovecot, PEER_PASSWORD, type PeerProgram } from '../helpers/pop3-peers.js'
import { testUnless } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const PATIENCE_MS = 180_000

/** What a client is told of all messages, and given. */
interface Told {
  readonly uidl: string
  readonly list: string
  /** What LIST should say: the octets that RETR sends. */
  readonly sent: string
}

/** Mail as other programs leave it: flags, sizes in names or not, CR LF or not. */
const MORE: Readonly<Record<string, string>> = {
  'cur/1700000500.M1P1.host,S=17,W=20:2,S': 'Subject: s\n\nbody\n',
  'cur/1700000400.M1P1.host:2,FRS': 'Subject: flags\n\nbody\n',
  'new/1600000000.old.host': 'Subject: older than all\n\n.\n..\n',
  'new/1700000450.procmail_0.host': `Subject: long\n\n${'x'.repeat(70_000)}\n`,
}
const NAMES = { dovecot: 'mail', courier: 'root/home/alice/Maildir' }

async function told(
  port: number,
  user: string,
  password: string,
  ...first: string[]
): Promise<Told> {
  const talk = await Talk.to(port)
  await expectOk(logIn(talk, user, password))
  for (const command of first) await expectOk(talk.ask(command))
  await expectOk(talk.ask('UIDL'))
  const uidl = (await talk.text()).toString('latin1')
  await expectOk(talk.ask('LIST'))
  const list = (await talk.text()).toString('latin1')
  const sent = await sentOctets(talk, list)
  await expectOk(talk.ask('QUIT'))
  talk.close()
  return { uidl, list, sent }
}

async function sentOctets(talk: Talk, list: string): Promise<string> {
  const lines: string[] = []
  for (const line of list.trimEnd().split('\r\n')) {
    const number = line.split(' ')[0]!
    await expectOk(talk.ask(`RETR ${number}`))
    lines.push(`${number} ${(await talk.text()).length}\r\n`)
  }
  return lines.join('')
}

/** A password that takes no time to check. */
function addUser(file: string): void {
  writeFileSync(file, `{PLAIN}${PASSWORD}\n`, { mode: 0o600 })
}

/**
 * What both must tell alike. A size that the other server told is compared with what it sent:
 * Dovecot and Courier are wrong about a last line without an end (two octets), and then ours is
 * what they sent.
 */
function expectSame(ours: Told, theirs: Told): void {
  expect(ours.uidl).toBe(theirs.uidl)
  expect(ours.list).toBe(theirs.sent)
  expect(ours.sent).toBe(theirs.sent)
  const theirLines = theirs.list.split('\r\n')
  const other = ours.list.split('\r\n').filter((line, at) => line !== theirLines[at])
  expect(other.length).toBeLessThanOrEqual(1)
}

/** Puts mail there as the one who owns it. */
function addMail(maildir: string): void {
  const { uid, gid } = statSync(maildir)
  for (const [place, content] of Object.entries(MORE)) {
    writeFileSync(join(maildir, place), content)
    chownSync(join(maildir, place), uid, gid)
  }
}

/** A mailbox that the program has served, with mail removed and added in between, and what it said last. */
async function served(program: PeerProgram, folder: string, maildir: string): Promise<Told> {
  // What Courier sends of a file with CR LF has CR CR LF.
  const peer = await program.start(folder, program === courier ? ['crlf'] : [])
  try {
    const before = await told(peer.port, peer.user, PEER_PASSWORD)
    await told(peer.port, peer.user, PEER_PASSWORD, 'DELE 2', 'DELE 4')
    addMail(maildir)
    const after = await told(peer.port, peer.user, PEER_PASSWORD)
    expect(after.uidl).not.toBe(before.uidl)
    return after
  } finally {
    await peer.stop()
  }
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mailtap-peer-'))
  await use(folder).finally(() => rm(folder, { recursive: true, force: true }))
}

/** Everything of the user, served by mailtap. */
async function toldByUs(site: Site, user: string): Promise<Told> {
  const server = await site.start()
  try {
    return await told(server.port('pop3'), user, PASSWORD)
  } finally {
    await server.kill('SIGTERM')
  }
}

/** In CI a server that is missing is a failure; elsewhere, and without root, it is a skip. */
function testPeer(
  name: string,
  program: PeerProgram,
  body: (folder: string, site: Site) => Promise<void>,
): void {
  const missing = program.missing()
  const rootless = process.getuid!() === 0 ? null : 'it has to be started as root'
  const run = async (): Promise<void> => {
    if (missing !== null) throw new Error(missing)
    await inFolder(async (folder) => {
      const site = await Site.create()
      await body(folder, site).finally(() => site.remove())
    })
  }
  const wanted = process.env['CI'] !== undefined
  testUnless((wanted ? null : missing) ?? rootless, name, run, PATIENCE_MS)
}

describe('a mailbox of', () => {
  for (const program of [dovecot, courier]) {
    const server = program === dovecot ? 'dovecot' : 'courier'
    testPeer(
      `${program.name}, copied, is told to clients as it was`,
      program,
      async (folder, site) => {
        const old = join(folder, NAMES[server])
        const before = await served(program, folder, old)
        addUser(site.userFile('alice'))
        const importing = ['mailbox', 'import', '--from', server, old, `alice@${DOMAIN}`]
        const { code, stdout, stderr } = await site.command(importing)
        expect([code, stderr]).toEqual([0, ''])
        expect(stdout.toString()).toContain('UIDL and LIST identical')
        expectSame(await toldByUs(site, `alice@${DOMAIN}`), before)
      },
    )
  }

  testPeer(
    'dovecot-pop3d, in its place, keeps its ids, and new mail gets others',
    dovecot,
    async (folder, site) => {
      const maildir = join(folder, NAMES.dovecot)
      const before = await served(dovecot, folder, maildir)
      // The domain's directory is the one that the mailbox stands in.
      const domain = `[domains."old.example"]\npath = ${JSON.stringify(folder)}\n`
      await site.configure(domain)
      await mkdir(join(folder, '.users'), { mode: 0o700 })
      addUser(join(folder, '.users/mail'))
      const user = 'mail@old.example'
      const imported = await site.command(['mailbox', 'import', '--from', 'dovecot', maildir, user])
      expect([imported.code, imported.stderr]).toEqual([0, ''])
      const running = await site.start()
      expectSame(await told(running.port('pop3'), user, PASSWORD), before)
      const reply = await deliver(running.port('smtp'), user, 'Subject: new\r\n\r\nnew\r\n')
      expect(reply).toMatch(/^250 /)
      const after = await told(running.port('pop3'), user, PASSWORD)
      expect(after.uidl.startsWith(before.uidl)).toBe(true)
      const ids = after.uidl
        .trim()
        .split('\r\n')
        .map((line) => line.split(' ')[1])
      expect(new Set(ids).size).toBe(before.uidl.trim().split('\r\n').length + 1)
      await running.kill('SIGTERM')
    },
  )
})

describe('a mailbox that was served by rule, without state:', () => {
  const rules = {
    qmail: (name: string) => name.split(':')[0]!,
    twisted: (name: string) => createHash('md5').update(name).digest('hex'),
  }
  for (const server of ['qmail', 'twisted'] as const) {
    testUnless(
      null,
      `${server}'s ids are told as its rule has them`,
      async () => {
        await inFolder(async (folder) => {
          const site = await Site.create()
          try {
            for (const part of ['new', 'cur', 'tmp']) await mkdir(join(folder, part))
            for (const [place, content] of Object.entries(MORE)) {
              writeFileSync(join(folder, place), content)
              const time = Number(/\d+/.exec(place)![0])
              utimesSync(join(folder, place), time, time)
            }
            const names = ['cur', 'new']
              .flatMap((part) => readdirSync(join(folder, part)))
              .toSorted()
            const expected = names
              .map((name, at) => `${at + 1} ${rules[server](name)}\r\n`)
              .join('')
            addUser(site.userFile('alice'))
            const user = `alice@${DOMAIN}`
            const imported = await site.command([
              'mailbox',
              'import',
              '--from',
              server,
              folder,
              user,
            ])
            expect([imported.code, imported.stderr]).toEqual([0, ''])
            expect((await toldByUs(site, user)).uidl).toBe(expected)
          } finally {
            await site.remove()
          }
        })
      },
      PATIENCE_MS,
    )
  }
})
