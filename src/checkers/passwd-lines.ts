/**
 * Files with a line per user, as other programs keep them: htpasswd(1), Dovecot's passwd-file
 * (passwd(5) with more at its end) and the `user:password` of Twisted's `--auth file:`.
 */
import { parseQuota, type Quota } from '../mail/quota.js'
import type { StoredAccount } from './stored-accounts.js'

/** How to take a password that bears no mark of its scheme. */
export type Unmarked = 'auto' | 'plain'

export interface PasswdLine {
  /** As it is written: with a domain or without. */
  readonly name: string
  readonly account: StoredAccount
}

/** Of what follows the name: password, uid, gid, gecos, home, shell, then the further fields of Dovecot. */
const GECOS_FIELD = 3
const EXTRA_FIELD = 6
/** The old crypt(3) looks like this, and nobody should take the hash itself for the password. */
const DES = /^[./0-9A-Za-z]{13}$/
const MARKED = /^(?:\$|\{[A-Za-z0-9.-]+\})/
const LOCKED = /^[!*]/
const DES_MARK = '{DES-CRYPT}'

/** @returns `null` for a line that names nobody: empty, a comment */
export function parsePasswdLine(line: string, unmarked: Unmarked): PasswdLine | null {
  if (line.trim() === '' || line.startsWith('#')) return null
  const at = line.indexOf(':')
  const name = at === -1 ? line : line.slice(0, at)
  if (name === '') return null
  const rest = at === -1 ? '' : line.slice(at + 1)
  if (unmarked === 'plain') return { name, account: accountOf(`{PLAIN}${rest}`, rest === '') }
  const fields = fieldsOf(rest)
  const stored = fields[0] ?? ''
  const extra = fields.slice(EXTRA_FIELD).join(':')
  const account = accountOf(marked(stored), stored === '' || LOCKED.test(stored))
  const gecos = fields[GECOS_FIELD] ?? ''
  return {
    name,
    account: { ...account, ...extraOf(extra), name: gecos === '' ? null : gecos },
  }
}

/**
 * A clear password may hold colons, the fields of Dovecot follow colons: these are five, uid and gid
 * numbers. What does not look like that is all password.
 */
function fieldsOf(rest: string): readonly string[] {
  const [stored = '', ...others] = rest.split(':')
  if (others.length === 0) return [stored]
  const [uid = '', gid = ''] = others
  const isPasswd = /^\d*$/.test(uid) && /^\d*$/.test(gid) && others.length >= 2
  return isPasswd || MARKED.test(stored) ? [stored, ...others] : [rest]
}

function marked(stored: string): string {
  if (MARKED.test(stored)) return stored
  // No scheme of that name is known, so it means "cannot tell".
  return DES.test(stored) ? `${DES_MARK}${stored}` : `{PLAIN}${stored}`
}

function accountOf(stored: string, locked: boolean): StoredAccount {
  return { password: locked ? null : stored, quota: null, name: null, disabled: false }
}

/** The fields of Dovecot that mean something here: who may not log in, and the quota. */
function extraOf(extra: string): { disabled: boolean; quota: Quota | null } {
  const words = extra.split(' ')
  const rule = words
    .map((word) =>
      /^(?:userdb_)?quota_rule=\*:(?:storage|bytes)=(\d{1,12})([KMGT]?)B?$/i.exec(word),
    )
    .find((match) => match !== null)
  const quota = rule
    ? parseQuota(`${rule[1]}${rule[2] ? `${rule[2].toUpperCase()}B` : 'KB'}`)
    : null
  return { disabled: words.some((word) => /^nologin(?:=|$)/.test(word)), quota }
}
