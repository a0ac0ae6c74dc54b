/** `mailtap auth`: which checkers there are, and what each of those in the config says of somebody. */
import { checkerTypes, makeChecker, type UserChecker } from '../src/checkers/checkers.js'
import { Slots } from '../src/checkers/slots.js'
import type { Peer } from '../src/cred/credentials.js'
import type { Directory } from '../src/directory/directory.js'
import { FilesDirectory } from '../src/directory/files.js'
import { reason, silent } from '../src/log/log.js'
import { type Address, foldLocal, formatAddress } from '../src/mail/address.js'
import { authHelp } from './auth-types.js'
import { CONFIG, JSON_OUTPUT, type Command, type Given, type Noun } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { oldPassword } from './password-input.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

const SERVICES = ['pop3', 'smtp']

const types: Command = {
  name: 'types',
  summary: 'list the checkers that "auth" and --auth can name, or explain one',
  argument: '[type]',
  options: [JSON_OUTPUT],
  run: list,
}

const test: Command = {
  name: 'test',
  summary: 'show what each checker says of a user; of the password too, if one is given',
  argument: '<user>',
  options: [
    CONFIG,
    { flags: '--service <name>', help: 'the protocol that asks: pop3 (default) or smtp' },
    { flags: '--password', help: 'ask for the password on the terminal' },
    { flags: '--password-stdin', help: 'read the password from standard input' },
    { flags: '--password-file <file>', help: 'read the password from a file' },
    JSON_OUTPUT,
  ],
  run: ask,
}

export const auth: Noun = {
  name: 'auth',
  summary: 'who checks passwords, and what they say',
  commands: [types, test],
}

async function list(given: Given): Promise<void> {
  if (!given.has('json')) return authHelp(given.argument).forEach((text) => say(text))
  const all = [...checkerTypes].map(([name, type]) => {
    const { help, argument, example, kinds, knowsUsers, needs = null } = type
    return { name, help, argument, example, kinds, knowsUsers, needs }
  })
  sayJson(given.argument === null ? all : all.filter(({ name }) => name === given.argument))
}

/** What one checker says. */
interface Said {
  readonly checker: string
  readonly answer: 'yes' | 'no' | 'cannot tell' | 'not asked'
  /** The address for a yes, why for the others; `null` if there is nothing to add. */
  readonly detail: string | null
}

async function ask(given: Given): Promise<void> {
  const user = given.argument!
  const peer = peerFor(given)
  const config = await settingsFor(given)
  const password = await passwordOf(user, given)
  const directory: Directory = new FilesDirectory({ ...config, log: silent })
  const said: Said[] = []
  for (const spec of config.auth) {
    said.push(await answerOf(spec, { user, password, peer, directory }))
  }
  if (given.has('json')) sayJson(said)
  else for (const { checker, answer, detail } of said) say(line(checker, answer, detail))
  conclude(user, said)
}

interface Asked {
  readonly user: string
  readonly password: string | null
  readonly peer: Peer
  readonly directory: Directory
}

async function answerOf(spec: string, asked: Asked): Promise<Said> {
  const { directory } = asked
  // What follows the first semicolon names files and queries: more than a line can hold.
  const checker = spec.split(';', 1)[0]!
  const made = makeChecker(spec, { directory, slots: new Slots(), secret: Buffer.alloc(32) })
  try {
    const { password } = asked
    const answer = password === null ? known(spec, made, asked) : login(made, password, asked)
    return { checker, ...(await answer) }
  } catch (error) {
    return { checker, answer: 'cannot tell', detail: reason(error) }
  } finally {
    await made.close?.()
  }
}

type Answer = Omit<Said, 'checker'>

const NOBODY: Answer = { answer: 'no', detail: 'no such user' }

async function known(spec: string, made: UserChecker, asked: Asked): Promise<Answer> {
  const address = asked.directory.qualify(asked.user)
  if (address === null || !(await asked.directory.owns(address.domain))) {
    return { answer: 'no', detail: 'not an address of a domain of this server' }
  }
  const find = finderOf(spec, made, asked.directory)
  if (find === null) return { answer: 'not asked', detail: 'it does not tell who its users are' }
  const found = await find({ ...address, local: foldLocal(address.local) })
  if (found === null) return NOBODY
  return { answer: 'yes', detail: formatAddress(address) + (found.disabled ? ', disabled' : '') }
}

type Find = (address: Address) => Promise<{ readonly disabled: boolean } | null>

function finderOf(spec: string, { users }: UserChecker, directory: Directory): Find | null {
  if (spec === 'directory') return (address) => directory.user(address)
  return users === undefined ? null : (address) => users.find(address)
}

async function login(made: UserChecker, password: string, asked: Asked): Promise<Answer> {
  const { user, peer } = asked
  if (!made.kinds.includes('password')) {
    return { answer: 'not asked', detail: 'it does not check passwords' }
  }
  const id = await made.requestAvatarId({ kind: 'password', peer, username: user, password })
  return id === null
    ? { answer: 'no', detail: 'no such user, or another password' }
    : { answer: 'yes', detail: id }
}

/** @throws Failure */
function peerFor(given: Given): Peer {
  const protocol = given.last('service') ?? 'pop3'
  if (!SERVICES.includes(protocol)) throw usage(`--service takes ${SERVICES.join(' or ')}`)
  return { address: '127.0.0.1', port: 0, protocol, secure: true }
}

async function passwordOf(user: string, given: Given): Promise<string | null> {
  const wanted = ['password', 'password-stdin', 'password-file'].some((name) => given.has(name))
  return wanted ? oldPassword(user, given) : null
}

function line(checker: string, answer: string, detail: string | null): string {
  return `${checker.padEnd(24)} ${answer}${detail === null ? '' : `: ${detail}`}`
}

/** As the portal does: a yes is enough, and a no counts only if all can tell. @throws Failure */
function conclude(user: string, said: readonly Said[]): void {
  if (said.some(({ answer }) => answer === 'yes')) return
  const unsure = said.some(({ answer }) => answer === 'cannot tell')
  throw unsure
    ? new Failure(Exit.tryLater, `${user}: not every checker can tell; see above`)
    : new Failure(Exit.noSuchUser, `${user}: no checker says yes`)
}
