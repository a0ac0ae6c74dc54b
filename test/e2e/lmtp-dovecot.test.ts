/** Mail for a domain whose users have their mailboxes in Dovecot: handed over by LMTP on a UNIX socket. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished } from 'vitest'
import { Deadline } from '../../src/courier/deadline.js'
import { LmtpCourier } from '../../src/courier/lmtp.js'
import { silent } from '../../src/log/log.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { addressOf, envelopeOf } from '../helpers/mail-world.js'
import { locate, testUnless } from '../helpers/programs.js'

const START_MS = 20_000
/** Dovecot delivers for no system user below its limit, and never as root. */
const NOBODY = 65_534

function missing(): string | null {
  if (process.getuid?.() !== 0) return 'Dovecot wants to be started by root'
  return existsSync('/usr/lib/dovecot/lmtp') ? null : 'dovecot-lmtpd is not installed'
}

/** A Dovecot that knows alice and bob, each with a Maildir below `mail`. */
async function dovecot() {
  const folder = await temporaryDirectory()
  await chmod(folder, 0o755)
  const mail = join(folder, 'mail')
  await mkdir(mail, { mode: 0o700 })
  await chown(mail, NOBODY, NOBODY)
  const users = ['alice', 'bob'].map((name) => `${name}@example.com:{PLAIN}x::\n`)
  await writeFile(join(folder, 'passwd'), users.join(''))
  await writeFile(join(folder, 'dovecot.conf'), config(folder, mail))
  const child = spawn(locate('dovecot')!, ['-F', '-c', join(folder, 'dovecot.conf')], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: 'ignore',
  })
  onTestFinished(() => ended(child))
  const path = join(folder, 'lmtp')
  await expect.poll(() => existsSync(path), { timeout: START_MS }).toBe(true)
  return { path, mail }
}

const config = (folder: string, mail: string): string => `
base_dir = ${join(folder, 'run')}
state_dir = ${join(folder, 'state')}
log_path = ${join(folder, 'log')}
protocols = lmtp
ssl = no
postmaster_address = postmaster@example.com
hostname = dovecot.example
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
first_valid_uid = 1
mail_location = maildir:${mail}/%n
passdb {
  driver = passwd-file
  args = ${join(folder, 'passwd')}
}
userdb {
  driver = passwd-file
  args = ${join(folder, 'passwd')}
  default_fields = uid=${NOBODY} gid=${NOBODY} home=${mail}/%n
}
service lmtp {
  unix_listener ${join(folder, 'lmtp')} {
    mode = 0600
  }
}
`

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

async function hand(path: string, users: readonly string[], message: Message): Promise<string[]> {
  const courier = new LmtpCourier({ hostname: 'mx.example', log: silent })
  const endpoint = { kind: 'unix', path } as const
  const targets = users.map((user) => {
    return { kind: 'lmtp', endpoint, to: addressOf(`${user}@example.com`) } as const
  })
  const answers = await courier.deliver(
    targets,
    envelopeOf('joe@far.example'),
    message,
    new Deadline(),
  )
  return answers.map((no) => (no === null ? 'delivered' : `${no.code} ${no.status}`))
}

async function mailOf(mail: string, user: string): Promise<string[]> {
  const folder = join(mail, user, 'new')
  const names = await readdir(folder)
  return Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')))
}

describe('Dovecot behind us', () => {
  testUnless(missing(), 'takes mail for its users and refuses it for others', async () => {
    const { path, mail } = await dovecot()
    const text = 'Subject: dots\n\n.\n..\n.x\nF\xc3\xbcr alle\nend\n'
    const message = fromBuffer(Buffer.from(text, 'latin1'))
    expect(await hand(path, ['alice', 'ghost', 'bob'], message)).toEqual([
      'delivered',
      '550 5.1.1',
      'delivered',
    ])
    for (const user of ['alice', 'bob']) {
      const [stored = '', ...more] = await mailOf(mail, user)
      expect(more).toEqual([])
      expect(stored).toContain('Return-Path: <joe@far.example>\n')
      expect(stored.endsWith(`\n${text}`)).toBe(true)
    }
  })

  testUnless(missing(), 'takes a message of megabytes', async () => {
    const { path, mail } = await dovecot()
    const line = `.${'x'.repeat(70)}\n`
    const text = `Subject: large\n\n${line.repeat(100_000)}`
    expect(await hand(path, ['alice'], fromBuffer(Buffer.from(text)))).toEqual(['delivered'])
    const [stored = ''] = await mailOf(mail, 'alice')
    expect(stored.endsWith(`\n${text}`)).toBe(true)
  })
})
