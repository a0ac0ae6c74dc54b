/** Where a benchmark's mail lies: a mailtap site with one domain and one user, on tmpfs if there is any. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Site {
  readonly root: string
  readonly config: string
  readonly domain: string
}

/** A disk would measure the disk: every server waits for the same fsync there. */
export function makeSite(): Site {
  const base = statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory()
    ? '/dev/shm'
    : tmpdir()
  const root = mkdtempSync(join(base, 'mailtap-bench-'))
  const domain = join(root, 'Maildir')
  mkdirSync(join(domain, '.users'), { recursive: true, mode: 0o700 })
  // A password in clear, so that logins measure mailtap and not argon2.
  for (const user of ['bob', 'postmaster']) {
    writeFileSync(join(domain, '.users', user), '{PLAIN}secret\n', { mode: 0o600 })
  }
  const config = join(root, 'mailtap.toml')
  writeFileSync(config, SETTINGS)
  return { root, config, domain }
}

const SETTINGS = `
hostname = "bench.example.com"
[listen]
smtp = ["127.0.0.1:0"]
pop3 = ["127.0.0.1:0"]
[limits]
message_size = "64MB"
[domains."example.com"]
path = "Maildir"
`

/** Takes all mail out of a mailbox. @returns how many messages there were */
export function empty(maildir: string): number {
  let count = 0
  for (const folder of ['new', 'cur', 'tmp']) {
    for (const name of readdirSync(join(maildir, folder))) {
      if (folder !== 'tmp') count++
      rmSync(join(maildir, folder, name))
    }
  }
  return count
}

/** What a mailbox is filled with. */
export interface Mails {
  readonly count: number
  /** Of each message, with LF line ends; about. */
  readonly octets: number
  /** Whether the names tell the sizes, as those of our own deliveries do. */
  readonly sized: boolean
}

/** Puts messages into a mailbox, as a delivery leaves them. */
export function fill(maildir: string, { count, octets, sized }: Mails): void {
  for (const folder of ['new', 'cur', 'tmp']) {
    mkdirSync(join(maildir, folder), { recursive: true, mode: 0o700 })
  }
  const line = `${'0123456789abcdef'.repeat(4)}-\n`
  const text = `Subject: bench\n\n${line.repeat(Math.floor(octets / line.length))}`
  const sizes = `,S=${text.length},W=${text.length + text.split('\n').length - 1}`
  for (let i = 0; i < count; i++) {
    const unique = `1700000000.M${i}P1Q${i}R${i.toString(16).padStart(8, '0')}.bench`
    writeFileSync(join(maildir, 'new', sized ? `${unique}${sizes}` : unique), text, { mode: 0o600 })
  }
}
