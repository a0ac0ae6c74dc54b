/**
 * The same Maildir in the hands of other programs: Dovecot, Courier's deliverquota, mutt and mblaze
 * change it while we serve it, and all agree on what is in it and how much that is.
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished } from 'vitest'
import { countNow } from '../../maildir/count-now.js'
import { create, NOTHING, usageOf } from '../../maildir/maildir.js'
import { formatAddress } from '../../src/mail/address.js'
import { fromBuffer } from '../../src/mail/message.js'
import { mailtap } from '../../src/mailtap.js'
import { Maildirs } from '../../src/store/maildirs.js'
import { deliver, logIn } from '../helpers/mail-talk.js'
import { runProgram, testWith } from '../helpers/programs.js'
import { Talk } from '../helpers/talk.js'

const ALICE = { local: 'alice', domain: 'example.com' }
const PASSWORD = 'secret'
/** Dovecot serves no mail of root's. */
const NOBODY = 65_534
/** Dovecot counts the trash unless it is told not to. */
const TRASH = 'quota_rule = Trash:ignore'
const QUOTA = { bytes: 100_000, messages: 20 }

const letter = (text: string): Buffer =>
  Buffer.from(`From: bob@elsewhere.example\nSubject: ${text}\n\nhello ${text}\n`)

interface Place {
  readonly domain: string
  readonly box: string
  readonly store: Maildirs
}

async function place(): Promise<Place> {
  const domain = fs.mkdtempSync(join(tmpdir(), 'mailtap-interop-'))
  onTestFinished(() => fs.rmSync(domain, { recursive: true, force: true }))
  fs.chmodSync(domain, 0o711)
  const box = join(domain, 'alice')
  await create(box)
  return { domain, box, store: storeOf(box) }
}

function storeOf(box: string): Maildirs {
  return new Maildirs({
    home: () => box,
    roots: () => [box],
    host: 'mx.example',
    reserveBytes: 4096,
    keepsDeleted: () => true,
  })
}

/** The sum that the file says, which must be what there is. */
async function agreedUsage({ box }: Place): Promise<typeof NOTHING> {
  const usage = await usageOf(box, QUOTA, NOTHING)
  const text = fs.readFileSync(join(box, 'maildirsize'), 'latin1')
  expect(usage, text).toEqual(countNow(box).usage)
  return usage
}

const amounts = (box: string): number =>
  fs.readFileSync(join(box, 'maildirsize'), 'latin1').trimEnd().split('\n').length - 1

async function removeLargest({ store }: Place): Promise<void> {
  const mailbox = await store.open(ALICE)
  await mailbox.remove(mailbox.messages.toSorted((a, b) => b.size - a.size).slice(0, 1))
}

/** Runs doveadm on the mailbox, which belongs to whoever it runs as. */
async function doveadm({ domain, box }: Place, rule: string, ...args: string[]): Promise<string> {
  const config = join(domain, 'dovecot.conf')
  const plugin = `plugin {\n  quota = maildir:User quota\n  ${rule}\n}\n`
  const ids = 'first_valid_uid = 1\nfirst_valid_gid = 1\n'
  fs.writeFileSync(
    config,
    `base_dir = ${domain}/run\nlog_path = /dev/stderr\nssl = no\nstats_writer_socket_path =\n` +
      `mail_location = maildir:${box}\nmail_plugins = quota\n${ids}${plugin}`,
  )
  fs.chmodSync(config, 0o644)
  const root = process.getuid?.() === 0
  if (root) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, box])
  const as = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups']
  const [program = '', ...before] = root ? ['setpriv', ...as, 'doveadm'] : ['doveadm']
  const { code, stdout, stderr } = await runProgram(program, [...before, '-c', config, ...args], {
    home: box,
    env: { USER: root ? 'nobody' : (process.env['USER'] ?? 'nobody') },
    input: letter('from Dovecot'),
  })
  if (code !== 0) throw new Error(`doveadm ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout.toString()
}

/** Kilobytes and messages, as `doveadm quota get` has it. */
async function dovecotUsage(where: Place, rule: string): Promise<{ kb: number; messages: number }> {
  const text = await doveadm(where, rule, 'quota', 'get')
  const value = (type: string): number => Number(new RegExp(`${type} +(\\d+)`).exec(text)?.[1])
  return { kb: value('STORAGE'), messages: value('MESSAGE') }
}

const fill = (where: Place, octets: number): Promise<void> =>
  where.store.append(ALICE, fromBuffer(Buffer.alloc(octets, 'x\n')), QUOTA)

describe('one account of a Maildir', () => {
  testWith(['deliverquota.maildrop'], 'is kept together with Courier', async () => {
    const where = await place()
    const { box } = where
    const courier = async (): Promise<number | null> => {
      const { code } = await runProgram('deliverquota.maildrop', [box], {
        input: letter('courier'),
      })
      return code
    }
    await fill(where, 50_000)
    expect(await courier()).toBe(0)
    await fill(where, 1000)
    await removeLargest(where)
    const { messages } = await agreedUsage(where)
    expect(messages).toBe(2)
    // Our change and Courier's are lines in one file: nobody had to count anew.
    expect(amounts(box)).toBe(5)
    await fill(where, 90_000)
    await fill(where, 6000)
    fs.rmSync(join(box, 'quotawarn'), { force: true })
    await expect(fill(where, 5000)).rejects.toMatchObject({ status: '4.2.2' })
    fs.appendFileSync(join(box, 'maildirsize'), '   99999    1\n')
    expect(await courier()).toBe(0)
    await agreedUsage(where)
    for (;;) if ((await courier()) === 77) break
    expect((await agreedUsage(where)).messages).toBeLessThanOrEqual(QUOTA.messages)
    // One that has not looked within the last second.
    const fresh = storeOf(box)
    await expect(fresh.append(ALICE, fromBuffer(letter('x')), QUOTA)).rejects.toMatchObject({
      code: 452,
    })
    await removeLargest(where)
    expect(await courier()).toBe(0)
    await agreedUsage(where)
  })

  testWith(
    ['deliverquota.maildrop', 'maildirmake.maildrop'],
    'that Courier began goes on',
    async () => {
      const where = await place()
      await runProgram('maildirmake.maildrop', ['-q', '100000S,20C', where.box])
      await runProgram('maildirmake.maildrop', ['-f', 'Sent', where.box])
      fs.writeFileSync(join(where.box, '.Sent/cur/1.a.h:2,S'), 'counted once it is counted anew')
      await runProgram('deliverquota.maildrop', [where.box], { input: letter('courier') })
      await fill(where, 1000)
      expect(amounts(where.box)).toBe(3)
      fs.unlinkSync(join(where.box, 'maildirsize'))
      await agreedUsage(where)
    },
  )

  testWith(['doveadm'], 'is kept together with Dovecot', async () => {
    const where = await place()
    // With a rule of its own, and with the one that stands in the file.
    for (const rule of [`${TRASH}\n  quota_rule2 = *:bytes=100000:messages=20`, TRASH]) {
      await fill(where, 5000)
      await doveadm(where, rule, 'save')
      const usage = await agreedUsage(where)
      expect(await dovecotUsage(where, rule)).toEqual({
        kb: Math.ceil(usage.bytes / 1024),
        messages: usage.messages,
      })
      await removeLargest(where)
      expect((await dovecotUsage(where, rule)).messages).toBe(usage.messages - 1)
      await doveadm(where, rule, 'flags', 'add', '\\Seen', 'mailbox', 'INBOX', '1')
      await doveadm(where, rule, 'mailbox', 'create', '-s', `Kept.${rule.length}`)
      await doveadm(where, rule, 'move', `Kept.${rule.length}`, 'mailbox', 'INBOX', '1')
      await agreedUsage(where)
      await doveadm(where, rule, 'expunge', 'mailbox', `Kept.${rule.length}`, 'ALL')
      await agreedUsage(where)
      await doveadm(where, rule, 'quota', 'recalc')
      await agreedUsage(where)
    }
    expect(fs.readFileSync(join(where.box, 'subscriptions'), 'latin1')).toContain('Kept')
  })
})

/** What another program does to a mailbox with three messages. */
interface Guest {
  readonly name: string
  readonly programs: readonly string[]
  /** Flags the first message. */
  flag(where: Place): Promise<unknown>
  /** Takes the second message out of the inbox. */
  take(where: Place): Promise<unknown>
}

async function shell(box: string, script: string): Promise<void> {
  const env = { TERM: 'xterm', MBLAZE: join(box, '..'), BOX: box }
  const { code, stderr } = await runProgram('sh', ['-euc', script], { home: join(box, '..'), env })
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`)
}

/** mutt wants a terminal. */
async function mutt({ box, domain }: Place, keys: string): Promise<void> {
  const settings = ['sort=date-received', 'move=no', 'delete=yes', 'quit=yes', 'mark_old=no']
  fs.mkdirSync(join(domain, 'Mail'), { recursive: true })
  fs.writeFileSync(join(domain, 'muttrc'), `set ${settings.join(' ')}\npush "${keys}"\n`)
  const command = `mutt -n -F ${join(domain, 'muttrc')} -f ${box}`
  await shell(box, `script -qec '${command}' /dev/null > /dev/null`)
}

const fileOf = (box: string, subject: string): string =>
  ['new', 'cur']
    .flatMap((part) => fs.readdirSync(join(box, part)).map((name) => join(box, part, name)))
    .find((path) => fs.readFileSync(path, 'latin1').includes(`Subject: ${subject}`))!

const guests: readonly Guest[] = [
  {
    name: 'Dovecot',
    programs: ['doveadm'],
    flag: (where) => doveadm(where, TRASH, 'flags', 'add', '\\Flagged', 'subject', 'one'),
    take: async (where) => {
      await doveadm(where, TRASH, 'mailbox', 'create', 'Elsewhere')
      await doveadm(where, TRASH, 'move', 'Elsewhere', 'mailbox', 'INBOX', 'subject', 'two')
    },
  },
  {
    name: 'mblaze',
    programs: ['mlist', 'mflag', 'mrefile', 'minc'],
    flag: ({ box }) =>
      shell(box, `minc -q "$BOX"; mflag -F '${fileOf(box, 'one').replace('/new/', '/cur/')}:2,'`),
    take: async ({ box }) => {
      await create(join(box, '.Elsewhere'))
      await shell(box, `mrefile '${fileOf(box, 'two')}' "$BOX/.Elsewhere"`)
    },
  },
  {
    name: 'mutt',
    programs: ['mutt', 'script'],
    flag: (where) => mutt(where, '<first-entry>F<quit>'),
    take: (where) => mutt(where, '2<enter><delete-message><quit>'),
  },
]

describe('a Maildir that is being served', () => {
  for (const { name, programs, flag, take } of guests) {
    testWith(programs, `may be changed by ${name} meanwhile`, async () => {
      const where = await place()
      const { domain, box } = where
      const server = mailtap({
        users: { [formatAddress(ALICE)]: PASSWORD },
        domains: { 'example.com': domain },
      })
      await server.start()
      onTestFinished(() => server.stop())
      for (const text of ['one', 'two', 'three']) {
        const wire = letter(text).toString().replaceAll('\n', '\r\n')
        expect(await deliver(server.port('smtp'), formatAddress(ALICE), wire)).toMatch(/^250/)
      }
      const talk = await Talk.to(server.port('pop3'))
      expect(await logIn(talk, formatAddress(ALICE), PASSWORD)).toMatch(/^\+OK/)
      const before = await listing(talk, 'UIDL')
      await flag(where)
      await take(where)
      expect(await listing(talk, 'UIDL')).toEqual(before)
      expect(await talk.ask('RETR 1')).toMatch(/^\+OK/)
      expect((await talk.text()).toString('latin1')).toContain('hello one')
      expect(await talk.ask('RETR 2')).toMatch(/^-ERR \[SYS\/TEMP\]/)
      expect(await talk.ask('RETR 3')).toMatch(/^\+OK/)
      await talk.text()
      expect(await talk.ask('DELE 3')).toMatch(/^\+OK/)
      expect(await talk.ask('QUIT')).toMatch(/^\+OK/)
      const next = await Talk.to(server.port('pop3'))
      expect(await logIn(next, formatAddress(ALICE), PASSWORD)).toMatch(/^\+OK/)
      expect(await listing(next, 'UIDL')).toEqual(before.slice(0, 1))
      expect(await next.ask('QUIT')).toMatch(/^\+OK/)
      expect(fileOf(box, 'one')).toMatch(/:2,.*F/)
    })
  }
})

async function listing(talk: Talk, command: string): Promise<string[]> {
  expect(await talk.ask(command)).toMatch(/^\+OK/)
  const lines = (await talk.text()).toString('latin1').split('\r\n')
  return lines.filter((line) => /^\d/.test(line))
}
