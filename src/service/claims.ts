/** The claim files in a state directory: `mailtap.pid`, and `mailtap.pid.ID`, which succeeds the claim ID. */
import { createHash, randomUUID } from 'node:crypto'
import { link, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Incarnation, isRunning } from '../process/incarnation.js'

/** Somebody who wants or has the state directory. */
export interface Claim extends Incarnation {
  /** Unlike every other claim's that was or will be. */
  readonly id: string
}

/** Each link of the chain is a server that was killed in the instant of its start. */
const MAX_CHAIN = 100
const HEAD = 'mailtap.pid'
const DRAFT = '.new'
/** A process id that no process has: of a file that holds no claim, such as one that a power cut left empty. */
const NOBODY = 0
const FORM = /^(\d{1,10})\n(\d{1,20}|-)\n([0-9a-f-]{1,40})\n([0-9a-f-]{36})\n$/

export class Claims {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Writes a new claim where nobody looks yet: a claim can only be seen whole. */
  async prepare(who: Incarnation): Promise<Claim> {
    const nonce = randomUUID()
    // The process id stands alone in the first line, where other programs look for it.
    const content = `${who.pid}\n${who.started}\n${who.boot}\n${nonce}\n`
    const claim = parse(content)
    await writeFile(this.#path(draft(claim)), content, { flag: 'wx', mode: 0o600 })
    return claim
  }

  /** The claim at the end of the chain; `null` if there is none at all. */
  async last(): Promise<Claim | null> {
    let last = await this.#read(HEAD)
    for (let links = 0; last !== null; links++) {
      if (links > MAX_CHAIN) throw new Error(`${this.#path(HEAD)}: broken; remove mailtap.pid.*`)
      const next = await this.#read(successor(last))
      if (next === null) return last
      last = next
    }
    return null
  }

  /** Puts the claim behind `dead`. @returns false if another one stands there */
  async follow(dead: Claim | null, claim: Claim): Promise<boolean> {
    try {
      await link(this.#path(draft(claim)), this.#path(successor(dead)))
      return true
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      throw error
    }
  }

  /** Takes back a claim that was put behind one that is no longer in the chain. */
  async unfollow(dead: Claim | null, claim: Claim): Promise<void> {
    const name = successor(dead)
    if ((await this.#read(name))?.id === claim.id) await this.#remove(name)
  }

  /** Makes the last claim the first, and clears away what is no longer needed. */
  async promote(claim: Claim): Promise<void> {
    const atHead = (await this.#read(HEAD))?.id === claim.id
    if (atHead) await this.#remove(draft(claim))
    else await rename(this.#path(draft(claim)), this.#path(HEAD))
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith(`${HEAD}.`) && (await this.#obsolete(name))) await this.#remove(name)
    }
  }

  /** Removes a claim, and nobody else's, wherever it got to. */
  async withdraw(claim: Claim): Promise<void> {
    await this.#remove(draft(claim))
    if ((await this.#read(HEAD))?.id === claim.id) await this.#remove(HEAD)
  }

  /** All that stood in a chain before its head; drafts only of those who were killed while they started. */
  async #obsolete(name: string): Promise<boolean> {
    if (!name.endsWith(DRAFT)) return true
    const claim = await this.#read(name)
    return claim !== null && claim.pid !== NOBODY && !isRunning(claim)
  }

  async #read(name: string): Promise<Claim | null> {
    try {
      return parse(await readFile(this.#path(name), 'latin1'))
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null
      throw error
    }
  }

  async #remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true })
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }
}

/** Reads a claim; what is none is nobody's. */
function parse(content: string): Claim {
  const id = createHash('sha256').update(content).digest('hex').slice(0, 32)
  const [, pid, started, boot] = FORM.exec(content) ?? []
  return { id, pid: Number(pid ?? NOBODY), started: started ?? '', boot: boot ?? '' }
}

/** Where a claim lies while nobody looks at it. */
function draft(claim: Claim): string {
  return `${HEAD}.${claim.id}${DRAFT}`
}

/** Where the claim stands that comes after this one. */
function successor(claim: Claim | null): string {
  return claim === null ? HEAD : `${HEAD}.${claim.id}`
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}
