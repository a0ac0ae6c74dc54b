/** Where a benchmark's mail lies: a mailtap site with one domain, on tmpfs if there is any. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Site {
  readonly name: string
  readonly root: string
  readonly config: string
  readonly domain: string
}

/** A disk would measure the disk: every server waits for the same fsync there. */
function usualPlace(): string {
  const shm = statSync('/dev/shm', { throwIfNoEntry: false })
  return shm?.isDirectory() === true ? '/dev/shm' : tmpdir()
}

/** A directory for everything that the benchmark writes. */
export function makeRoot(at = usualPlace()): string {
  return mkdtempSync(join(at, 'mailtap-bench-'))
}

/** What a site has that is not usual. */
export interface SiteOptions {
  readonly users?: readonly string[]
  /** As in the config. */
  readonly trash?: string
  /** Mail for others goes there, in clear. */
  readonly relay?: { readonly via: string }
  /** Processes that serve clients; 0 = one process does all. */
  readonly workers?: number
}

/** @param name of a directory of its own under the root */
export function makeSite(root: string, name: string, options: SiteOptions = {}): Site {
  const { users = ['bob', 'postmaster'], trash = '30d', relay, workers = 0 } = options
  const own = join(root, name)
  const domain = join(own, 'Maildir')
  mkdirSync(join(domain, '.users'), { recursive: true, mode: 0o700 })
  // A password in clear, so that logins measure mailtap and not argon2.
  for (const user of users) {
    writeFileSync(join(domain, '.users', user), '{PLAIN}secret\n', { mode: 0o600 })
  }
  const config = join(own, 'mailtap.toml')
  const way = relay === undefined ? '' : `[relay]\nvia = ["${relay.via}"]\ntls = "never"\n`
  writeFileSync(
    config,
    `${SETTINGS}[mailboxes]\ntrash = "${trash}"\n${way}[run]\nworkers = ${workers}\n`,
  )
  return { name, root: own, config, domain }
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
