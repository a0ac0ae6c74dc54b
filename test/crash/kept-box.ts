/** A mailbox on the disk, and what has to be in it whatever happens to the server: for audits after a kill. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectOk, logIn } from '../helpers/mail-talk.js'
import { DOMAIN, PASSWORD, type RunningServer, type Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const TRASH = '.Trash'
const NUMBER = /^(\d+)\.m\.h/
/** What the names of the first messages begin with: names are in the order in which mail came. */
const FIRST = 1_000_000

/** A message by the number in its name. */
type Id = number

export class KeptBox {
  readonly user: string
  readonly path: string
  /** What clients were told of it: for ever the same. */
  readonly #uids = new Map<Id, string>()
  #next = FIRST

  /** Makes the user and an empty mailbox. */
  constructor(site: Site, name: string) {
    this.user = `${name}@${DOMAIN}`
    this.path = join(site.mail, name)
    // A password that takes no time to check.
    writeFileSync(site.userFile(name), `{PLAIN}${PASSWORD}\n`, { mode: 0o600 })
    for (const part of ['', 'new', 'cur', 'tmp']) mkdirSync(join(this.path, part), { mode: 0o700 })
  }

  /** Puts one more message there; not all names tell its size. */
  add(): void {
    const id = this.#next++
    const text = contentOf(id)
    const size = id % 7 === 0 ? '' : `,S=${text.length},W=${text.replaceAll('\n', '\r\n').length}`
    writeFileSync(join(this.path, 'new', `${id}.m.h${size}`), text, { mode: 0o600 })
  }

  /** Numbers of the messages in `new` and `cur`, ascending. */
  held(): Id[] {
    return this.#numbers('new', 'cur')
  }

  /** The file of a message. */
  place(id: Id): string {
    for (const part of ['new', 'cur']) {
      const name = readdirSync(join(this.path, part)).find((each) => each.startsWith(`${id}.`))
      if (name !== undefined) return join(part, name)
    }
    throw new Error(`no message ${id}`)
  }

  /** Numbers of those of which a whole copy is there, in the mailbox or in the trash. */
  whole(): Set<Id> {
    const places = ['new', 'cur', `${TRASH}/cur`]
    return new Set(places.flatMap((place) => this.#wholeIn(place)))
  }

  trashed(): Id[] {
    return this.#numbers(`${TRASH}/cur`)
  }

  /** Sometimes the directory itself, so that it has to be made again. */
  emptyTrash(): void {
    const path = join(this.path, TRASH)
    rmSync(Math.random() < 0.5 ? path : join(path, 'cur'), { recursive: true, force: true })
  }

  /** When `new` changed last; to compare. */
  changed(): bigint {
    return statSync(join(this.path, 'new'), { bigint: true }).mtimeNs
  }

  /** Files that are being written, or were when the server was killed. */
  drafts(): string[] {
    return readdirSync(join(this.path, 'tmp'))
  }

  /** Takes away what was not finished. @returns how many files */
  clearDrafts(): number {
    const drafts = this.drafts()
    for (const name of drafts) rmSync(join(this.path, 'tmp', name))
    return drafts.length
  }

  async logIn(server: RunningServer): Promise<Talk> {
    const talk = await Talk.to(server.port('pop3'))
    await expectOk(logIn(talk, this.user, PASSWORD))
    return talk
  }

  /** What a session says that is not so: it shall list the files that are there, as it always did. */
  async lies(talk: Talk): Promise<string[]> {
    const held = this.held()
    const list = await multiline(talk, 'LIST')
    const uidl = await multiline(talk, 'UIDL')
    if (list.length !== held.length || uidl.length !== held.length) {
      return [`${this.user}: ${held.length} messages, ${list.length} listed, ${uidl.length} ids`]
    }
    const wrong = held.filter((id, at) => !this.#right(id, at + 1, list[at]!, uidl[at]!))
    const twice = uidl.length - new Set(uidl.map((line) => line.split(' ')[1])).size
    return [
      ...wrong.map((id) => `${this.user}: message ${id} is not told as it is`),
      ...(twice === 0 ? [] : [`${this.user}: ${twice} ids twice`]),
    ]
  }

  #right(id: Id, number: number, listed: string, identified: string): boolean {
    const [at, uid = ''] = identified.split(' ')
    const before = this.#uids.get(id) ?? uid
    this.#uids.set(id, before)
    const size = contentOf(id).replaceAll('\n', '\r\n').length
    return listed === `${number} ${size}` && at === String(number) && uid === before && uid !== ''
  }

  #wholeIn(place: string): Id[] {
    const folder = join(this.path, place)
    return namesIn(folder)
      .map((name) => ({ name, id: numberOf(name) }))
      .filter(({ name, id }) => readFileSync(join(folder, name), 'latin1') === contentOf(id))
      .map(({ id }) => id)
  }

  #numbers(...places: string[]): Id[] {
    const names = places.flatMap((place) => namesIn(join(this.path, place)))
    return names.map(numberOf).toSorted((a, b) => a - b)
  }
}

/** No two are alike. */
function contentOf(id: Id): string {
  return `Subject: ${id}\n\n${'x'.repeat(id % 97)}\n`
}

function numberOf(name: string): Id {
  return Number(NUMBER.exec(name)?.[1] ?? Number.NaN)
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function multiline(talk: Talk, command: string): Promise<string[]> {
  await expectOk(talk.ask(command))
  const text = (await talk.text()).toString('latin1')
  return text === '' ? [] : text.trimEnd().split('\r\n')
}
