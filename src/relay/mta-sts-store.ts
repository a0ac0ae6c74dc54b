/**
 * Policies of MTA-STS on the disk, so that a restart forgets none (RFC 8461 section 10.2):
 * a file per domain, named like it; its first line says id and time, the rest is the policy as it came.
 */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseStsPolicy, type StsPolicy } from './mta-sts-policy.js'

const HEAD = /^mta-sts 1 ([A-Za-z0-9]{1,32}) (\d{1,15})\n/
const DOMAIN = /^(?!\.)[a-z0-9.-]{1,240}$/
/** Octets of a file: a policy and its first line. */
const MAX_FILE = 70_000
const MAX_FILES = 10_000
/** Files that go at once when there are too many. */
const ROOM = 100

export interface KeptPolicy {
  readonly id: string
  readonly policy: StsPolicy
  /** Milliseconds since 1970. */
  readonly fetched: number
}

export class StsStore {
  readonly #folder: string

  /** @param folder is made, readable by its owner only, when there is something to keep */
  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * @returns `null` if there is none, it has expired, or its file is broken
   * @throws the system's errors
   */
  async get(domain: string): Promise<KeptPolicy | null> {
    const text = DOMAIN.test(domain) ? await read(join(this.#folder, domain)) : null
    const kept = text === null ? null : parseKept(text)
    if (kept === null) return null
    return Date.now() - kept.fetched < kept.policy.maxAge * 1_000 ? kept : null
  }

  /**
   * @param text of a policy
   * @throws the system's errors; what was there is still there then
   */
  async put(domain: string, id: string, text: string): Promise<void> {
    if (!DOMAIN.test(domain)) return
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await this.#makeRoom()
    // A leading dot: no domain has one.
    const temporary = join(this.#folder, `.${randomUUID()}`)
    try {
      await writeDurably(temporary, `mta-sts 1 ${id} ${Date.now()}\n${text}`)
      await rename(temporary, join(this.#folder, domain))
      await syncFolder(this.#folder)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  /** Whose policy goes is fetched again with the next mail. */
  async #makeRoom(): Promise<void> {
    const names = await readdir(this.#folder)
    if (names.length < MAX_FILES) return
    for (const name of names.slice(0, ROOM)) await rm(join(this.#folder, name), { force: true })
  }
}

function parseKept(text: string): KeptPolicy | null {
  const [head, id, fetched] = HEAD.exec(text) ?? []
  if (head === undefined || id === undefined) return null
  const policy = parseStsPolicy(text.slice(head.length))
  return policy === null ? null : { id, policy, fetched: Number(fetched) }
}

async function read(path: string): Promise<string | null> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE), 0, MAX_FILE, 0)
      return buffer.toString('latin1', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content, 'latin1')
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
