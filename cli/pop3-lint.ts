/** `mailtap pop3-lint`: tells where a POP3 server, whosever it is, leaves the RFCs. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Finding,
  lint,
  type LintOptions,
  LoginFailed,
  type Security,
  type Target,
  TEST_MESSAGES,
  Unreachable,
} from '../src/pop3-lint/pop3-lint.js'
import { type Command, type Given, JSON_OUTPUT } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { oldPassword, PASSWORD_OPTIONS } from './password-input.js'
import { say, sayJson, warn } from './terminal.js'

/** HOST, HOST:PORT, [IPv6], [IPv6]:PORT. */
const SERVER = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([1-9]\d{0,4}))?$/
const MAX_PORT = 65_535
const PORTS: Readonly<Record<Security, number>> = { clear: 110, stls: 110, tls: 995 }
const DEFAULT_TIMEOUT_S = 15
const LOOPBACK = /^(localhost|127\..*|::1)$/

export const pop3Lint: Command = {
  name: 'pop3-lint',
  summary: 'check any POP3 server against the RFCs, row by row; only test messages are ever marked',
  argument: '[host[:port]]',
  options: [
    { flags: '-u, --user <user>', help: 'whose mailbox to use; best one that was made for this' },
    ...PASSWORD_OPTIONS.filter(({ flags }) => !flags.startsWith('--generate')),
    { flags: '--tls', help: 'TLS from the first octet (default port 995)' },
    { flags: '--stls', help: 'STLS before the password' },
    { flags: '--insecure', help: 'accept any certificate' },
    {
      flags: '--messages <dir>',
      help: 'write test messages there, to be put into the mailbox first: more rows can be asked',
    },
    { flags: '--destructive', help: 'rows may remove messages, even if they are no test messages' },
    {
      flags: '--timeout <seconds>',
      help: `how long an answer may take (default: ${DEFAULT_TIMEOUT_S})`,
    },
    JSON_OUTPUT,
  ],
  run: lintOrWrite,
}

async function lintOrWrite(given: Given): Promise<void> {
  const directory = given.last('messages')
  if (directory !== null) return writeMessages(directory)
  const options = await optionsFrom(given)
  const findings = await report(options, given.has('json'))
  const failed = findings.filter(({ mark }) => mark === 'FAIL').length
  if (failed > 0)
    throw new Failure(Exit.badData, `${options.target.host}: ${count(failed, 'fault')}`)
}

async function report(options: LintOptions, json: boolean): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    for await (const finding of lint(options)) {
      findings.push(finding)
      if (!json) tell(finding)
    }
  } catch (error) {
    throw ending(error)
  }
  if (json) sayJson({ server: serverOf(options.target), findings })
  else summarize(findings)
  return findings
}

function tell({ mark, id, what, rfc, expected, came }: Finding): void {
  say(`${mark}  ${id.padEnd(18)} ${what} (${rfc})`)
  if (expected !== '') say(`      expected: ${expected}`)
  if (came !== '' && mark !== 'PASS') say(`      ${mark === 'FAIL' ? 'came:     ' : ''}${came}`)
}

function summarize(findings: readonly Finding[]): void {
  const marks = (['PASS', 'FAIL', 'SKIP', 'NOTE'] as const).map(
    (mark) => `${findings.filter((finding) => finding.mark === mark).length} ${mark}`,
  )
  say(`${count(findings.length, 'row')}: ${marks.join(', ')}`)
}

function ending(error: unknown): unknown {
  if (error instanceof Unreachable) {
    return new Failure(Exit.unavailable, `cannot talk POP3 with ${error.message}`, { cause: error })
  }
  if (!(error instanceof LoginFailed)) return error
  const code = error.passing ? Exit.tryLater : Exit.noPermission
  return new Failure(code, `${error.message}; give -u and the password of a mailbox`, {
    cause: error,
  })
}

/** @throws Failure */
async function optionsFrom(given: Given): Promise<LintOptions> {
  const target = targetFrom(given)
  const user = given.last('user')
  // A space could still be a name; a line end would be a command.
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  if (user === null || /^$|[\u0000-\u001f\u007f]/.test(user)) throw usage('give -u USER')
  if (target.security === 'clear' && !LOOPBACK.test(target.host))
    warn(`the password goes to ${target.host} in clear; --stls or --tls protects it`)
  const password = await oldPassword(user, given)
  return { target, account: { user, password }, destructive: given.has('destructive') }
}

/** @throws Failure */
function targetFrom(given: Given): Target {
  const [, v6, name, port] = SERVER.exec(given.argument ?? '') ?? []
  const host = v6 ?? name
  if (host === undefined) throw usage('give a server: HOST, HOST:PORT or [IPv6]:PORT')
  if (given.has('tls') && given.has('stls')) throw usage('--tls and --stls exclude each other')
  const withTls = given.has('tls') ? 'tls' : 'clear'
  const security: Security = given.has('stls') ? 'stls' : withTls
  const number = port === undefined ? PORTS[security] : Number(port)
  if (number > MAX_PORT) throw usage(`${number} is no port; they end at ${MAX_PORT}`)
  const verify = !given.has('insecure')
  return { host, port: number, security, verify, timeoutMs: timeoutFrom(given) }
}

function timeoutFrom(given: Given): number {
  const text = given.last('timeout') ?? String(DEFAULT_TIMEOUT_S)
  if (!/^[1-9]\d{0,2}$/.test(text)) throw usage('--timeout takes 1 to 999 seconds')
  return Number(text) * 1000
}

async function writeMessages(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const { name, bytes } of TEST_MESSAGES) {
    await writeFile(join(directory, `${name}.eml`), bytes, { flag: 'wx' })
  }
  say(`${TEST_MESSAGES.length} messages in ${directory}; put them into the mailbox as they are,`)
  say('for example by copying them into new/ of its Maildir, then run pop3-lint')
}

const serverOf = ({ host, port, security }: Target) => ({ host, port, security })
const count = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? '' : 's'}`
