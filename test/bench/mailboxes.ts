/** Mailboxes as deliveries leave them: every server gets the same mail, made by the same code. */
import {
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** What a mailbox is filled with. */
export interface Mails {
  readonly count: number
  /** Of each message, with LF line ends; about. */
  readonly octets: number
  /** Whether the names tell the sizes, as those of mailtap's and of Dovecot's deliveries do. */
  readonly sized: boolean
}

/** What servers make for themselves, and can make again. */
const CACHES = /^(?:dovecot|mailtap-index)/

/**
 * @param maildir made if it is missing
 * @param owner uid and gid of everything in it; `null` for whoever runs the benchmark
 */
export function fill(maildir: string, mails: Mails, owner: number | null): void {
  makeFolders(maildir, owner)
  const text = letter(mails.octets)
  for (let i = 0; i < mails.count; i++) {
    const path = join(maildir, 'new', nameOf(i, text, mails.sized))
    writeFileSync(path, text, { mode: 0o600 })
    if (owner !== null) chownSync(path, owner, owner)
  }
}

/** One message for many mailboxes, a hard link in each: what is large takes its room once. */
export function share(maildirs: readonly string[], octets: number, owner: number | null): void {
  const text = letter(octets)
  const name = nameOf(0, text, true)
  const [first, ...others] = maildirs
  fill(first!, { count: 1, octets, sized: true }, owner)
  for (const other of others) {
    makeFolders(other, owner)
    linkSync(join(first!, 'new', name), join(other, 'new', name))
  }
}

/** As if all mail had just been delivered, and nobody had ever looked at it. */
export function deliveredAnew(maildir: string): void {
  forgotten(maildir)
  const cur = join(maildir, 'cur')
  for (const name of readdirSync(cur)) {
    renameSync(join(cur, name), join(maildir, 'new', name.replace(/:2,.*$/, '')))
  }
}

/** As if all mail had been seen by another program, whose names have flags. */
export function seenElsewhere(maildir: string): void {
  forgotten(maildir)
  const fresh = join(maildir, 'new')
  for (const name of readdirSync(fresh)) {
    renameSync(join(fresh, name), join(maildir, 'cur', `${name}:2,S`))
  }
}

function forgotten(maildir: string): void {
  for (const name of readdirSync(maildir)) {
    if (CACHES.test(name)) rmSync(join(maildir, name), { recursive: true })
  }
}

function makeFolders(maildir: string, owner: number | null): void {
  for (const folder of ['', 'new', 'cur', 'tmp']) {
    const path = join(maildir, folder)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    if (owner !== null) chownSync(path, owner, owner)
  }
}

function letter(octets: number): string {
  const row = `${'0123456789abcdef'.repeat(4)}-\n`
  return `Subject: bench\n\n${row.repeat(Math.floor(octets / row.length))}`
}

function nameOf(at: number, text: string, sized: boolean): string {
  const unique = `1700000000.M${at}P1Q${at}R${at.toString(16).padStart(8, '0')}.bench`
  if (!sized) return unique
  return `${unique},S=${text.length},W=${text.length + text.split('\n').length - 1}`
}
