/** A Maildir with every test message of pop3-lint in it, and what the lint says of who serves it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Finding,
  lint,
  type Mark,
  type Security,
  TEST_MESSAGES,
} from '../../src/pop3-lint/pop3-lint.js'

export interface Served {
  readonly port: number
  readonly user: string
  readonly password: string
  readonly security?: Security
  readonly destructive?: boolean
  readonly timeoutMs?: number
}

/**
 * Makes the Maildir, the messages in `new` under names that say nothing about their sizes.
 * @param without names of messages that are left out
 */
export async function fillMaildir(maildir: string, without: readonly string[] = []): Promise<void> {
  for (const part of ['new', 'cur', 'tmp'])
    await mkdir(join(maildir, part), { recursive: true, mode: 0o700 })
  for (const [index, { name, bytes }] of TEST_MESSAGES.entries()) {
    if (without.includes(name)) continue
    const file = `${1_700_000_000 + index}.M${index}P1.localhost`
    await writeFile(join(maildir, 'new', file), bytes, { mode: 0o600 })
  }
}

/** The whole report. */
export async function lintOf({
  port,
  user,
  password,
  security = 'clear',
  destructive = false,
  timeoutMs = 10_000,
}: Served): Promise<Finding[]> {
  const target = { host: '127.0.0.1', port, security, verify: false, timeoutMs }
  const findings: Finding[] = []
  for await (const finding of lint({ target, account: { user, password }, destructive }))
    findings.push(finding)
  return findings
}

/** The rows with that mark, as `id: what came`. */
export function marked(findings: readonly Finding[], mark: Mark): string[] {
  return findings.filter((each) => each.mark === mark).map(({ id, came }) => `${id}: ${came}`)
}

export const idsOf = (findings: readonly Finding[], mark: Mark): string[] =>
  findings.filter((each) => each.mark === mark).map(({ id }) => id)
