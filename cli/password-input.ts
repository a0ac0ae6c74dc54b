/** Brings a password in without it ever standing on the command line. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { Given, Option } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { readStart } from './read-start.js'

/** What the protocols take, in bytes of UTF-8. */
const MAX_PASSWORD = 1024
/** A password and the line end after it. */
const MAX_INPUT = MAX_PASSWORD + 2
/** Nothing that looks like something else: people read these aloud. 32 characters, 5 bits each. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789'
const GENERATED_LENGTH = 20
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROL = /[\u0000-\u001f\u007f]/

export const PASSWORD_OPTIONS: readonly Option[] = [
  { flags: '--password-stdin', help: 'read the password from standard input' },
  { flags: '--password-file <file>', help: 'read the password from a file' },
  { flags: '--generate', help: 'make a password and print it once' },
]

export interface Password {
  readonly text: string
  /** True if it was made here, and has to be printed. */
  readonly generated: boolean
}

/**
 * From the options, a prompt on a terminal, or made here when there is nobody to ask.
 * @param who for the prompt
 * @throws Failure
 */
export async function newPassword(who: string, given: Given): Promise<Password> {
  const said = await fromOptions(given)
  if (said !== null) return said
  return onTerminal() ? { text: await promptTwice(who), generated: false } : generated()
}

/** For checking a password that exists: never made here, asked for once. @throws Failure */
export async function oldPassword(who: string, given: Given): Promise<string> {
  if (given.has('generate')) throw usage('--generate makes new passwords; leave it out')
  const said = await fromOptions(given)
  if (said !== null) return said.text
  if (!onTerminal()) throw usage('no password given; use --password-stdin or --password-file FILE')
  return checkPassword(await prompt(`Password for ${who}: `))
}

/**
 * A password that another server knows.
 * @param file holds it; `null` = it is asked for
 * @throws Failure when there is nobody to ask
 */
export async function relayPassword(who: string, file: string | null): Promise<string> {
  if (file !== null) return line(await readStart(file, MAX_INPUT + 1))
  if (onTerminal()) return checkPassword(await prompt(`Password of ${who}: `))
  throw usage(`no password of ${who} given; use --relay-password-file FILE`)
}

/** @throws Failure unless the text can serve as a password in every protocol */
export function checkPassword(text: string): string {
  const bytes = Buffer.byteLength(text)
  if (bytes === 0) throw new Failure(Exit.badData, 'the password is empty; give one')
  if (bytes > MAX_PASSWORD) {
    throw new Failure(
      Exit.badData,
      `the password is longer than ${MAX_PASSWORD} bytes; take a shorter one`,
    )
  }
  if (CONTROL.test(text)) {
    throw new Failure(
      Exit.badData,
      'the password has more than one line or control characters in it; take another',
    )
  }
  return text
}

/** A password of 100 bits. */
export function generated(): Password {
  const letters = Array.from(
    { length: GENERATED_LENGTH },
    () => ALPHABET[randomInt(ALPHABET.length)],
  )
  return { text: letters.join(''), generated: true }
}

/** True if there is somebody to ask. */
export function onTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/** @throws Failure when the two differ */
export async function promptTwice(who: string): Promise<string> {
  const first = checkPassword(await prompt(`New password for ${who}: `))
  if (first === (await prompt('The same again: '))) return first
  throw new Failure(Exit.badData, 'the two passwords differ; nothing was changed, try again')
}

async function fromOptions(given: Given): Promise<Password | null> {
  const named = ['password-stdin', 'password-file', 'generate'].filter((name) => given.has(name))
  if (named.length > 1) throw usage(`--${named.join(' and --')} exclude each other; keep one`)
  if (given.has('generate')) return generated()
  if (given.has('password-stdin')) return { text: line(await readStdin()), generated: false }
  const file = given.last('password-file')
  return file === null
    ? null
    : { text: line(await readStart(file, MAX_INPUT + 1)), generated: false }
}

/** Without the line end, which `echo` and editors add. */
function line(bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return checkPassword(text.replace(/\r?\n$/, ''))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new Failure(Exit.badData, 'the password is not UTF-8; give it as UTF-8')
  }
}

/** Stops reading as soon as it is too long. */
async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > MAX_INPUT) break
  }
  return Buffer.concat(chunks)
}

/** One line from the terminal, nothing of it shown. @throws Failure at Ctrl-C or the end of input */
async function prompt(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({
    input: process.stdin,
    output: nowhere,
    terminal: true,
    historySize: 0,
  })
  process.stderr.write(question)
  try {
    const closed = new Promise<never>((_resolve, reject) => {
      terminal.once('close', () =>
        reject(new Failure(Exit.interrupted, 'interrupted; nothing was changed')),
      )
    })
    return await Promise.race([terminal.question(''), closed])
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}

/** Asks on the terminal. @returns true for `yes` and nothing else */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const closed = once(terminal, 'close').then(() => 'no')
    return (await Promise.race([terminal.question(question), closed])).trim() === 'yes'
  } finally {
    terminal.close()
  }
}
