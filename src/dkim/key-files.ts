/**
 * The keys of a domain: a private key in PEM per file, named `<selector>.pem`, that nobody else on
 * this machine can get at. One that is made signs when the world has had time to hear of it.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Algorithm, SigningKey } from './signature.js'

/** Milliseconds from the making of a key until it takes over: its record must be in the DNS by then. */
export const TAKES_OVER_AFTER_MS = 86_400_000
/** Octets of a key file; one of RSA-4096 has 3,300. */
const MAX_OCTETS = 16_384
/** Keys of one domain. */
const MAX_KEYS = 100
/** RFC 8301 section 3.2: verifiers take nothing shorter. */
const MIN_RSA_BITS = 1_024
const OTHERS = 0o007
const GROUP_WRITES = 0o020
const ROOT = 0
const ENDING = '.pem'
/** RFC 6376 section 3.1: labels with dots between them. */
const SELECTOR = /^(?!.{64})[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/

export interface DomainKey extends SigningKey {
  readonly path: string
  /** When it was made (its file was last written), milliseconds since 1970. */
  readonly since: number
}

/** A key that must not be used as it is; the message names it and says why. */
export class KeyRefused extends Error {
  override readonly name = 'KeyRefused'
}

/** True if keys can be found by that name in the DNS, and files can have it. */
export function isSelector(text: string): boolean {
  return SELECTOR.test(text)
}

/** All files in there that should be keys, in the order of their names. @returns empty if there is no such folder */
export async function keyFilesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder)
    const files = names.filter((name) => name.endsWith(ENDING) && !name.startsWith('.'))
    if (files.length > MAX_KEYS) throw new KeyRefused(`${folder}: more than ${MAX_KEYS} keys`)
    return files.toSorted().map((name) => join(folder, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** @throws KeyRefused, or the system's error, of the first key that cannot be used */
export async function readKeys(folder: string): Promise<readonly DomainKey[]> {
  const keys: DomainKey[] = []
  for (const path of await keyFilesIn(folder)) keys.push(await readKey(path))
  return keys
}

/** @throws KeyRefused, or the system's error */
export async function readKey(path: string): Promise<DomainKey> {
  const selector = selectorOf(path)
  // O_NONBLOCK: opening a FIFO must not wait until somebody writes to it.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW
  const file = await open(path, flags)
  try {
    const facts = await file.stat()
    await requirePrivate(path, facts)
    const key = keyIn(await contentOf(file, path), path)
    return { path, selector, algorithm: algorithmOf(key, path), key, since: facts.mtimeMs }
  } finally {
    await file.close()
  }
}

/**
 * The keys that sign now, one of each algorithm: the newest that is old enough, or the oldest if
 * none is. Thus the first key signs at once, and the next one takes over by itself.
 */
export function signingAt<Key extends Pick<DomainKey, 'algorithm' | 'selector' | 'since'>>(
  keys: readonly Key[],
  now: number,
): readonly Key[] {
  const byAge = keys.toSorted((a, b) => a.since - b.since || (a.selector < b.selector ? -1 : 1))
  return (['rsa', 'ed25519'] as const).flatMap((algorithm) => {
    const all = byAge.filter((key) => key.algorithm === algorithm)
    return all.findLast(({ since }) => now - since >= TAKES_OVER_AFTER_MS) ?? all[0] ?? []
  })
}

function selectorOf(path: string): string {
  const selector = path.slice(dirname(path).length + 1, -ENDING.length)
  if (isSelector(selector)) return selector
  const what = `'${selector}' is no selector: a-z, 0-9 and hyphens, at most 63 characters`
  throw new KeyRefused(`${path}: ${what}; rename it`)
}

/** Whoever owns the domain's directory could put any key there. @throws KeyRefused */
async function requirePrivate(path: string, { mode, uid, ...facts }: Stats): Promise<void> {
  const isFile = (mode & constants.S_IFMT) === constants.S_IFREG
  if (!isFile || facts.nlink === 0) throw new KeyRefused(`${path}: not a regular file`)
  if (uid !== ROOT && uid !== process.geteuid?.() && uid !== (await ownerOfDomain(path)))
    throw new KeyRefused(`${path}: belongs to somebody else (user id ${uid})`)
  if ((mode & OTHERS) === 0 && (mode & GROUP_WRITES) === 0) return
  throw new KeyRefused(`${path}: others of this machine can get at it; run: chmod 600 ${path}`)
}

async function ownerOfDomain(path: string): Promise<number> {
  return (await stat(dirname(dirname(path)))).uid
}

async function contentOf(file: FileHandle, path: string): Promise<Buffer> {
  const content = Buffer.alloc(MAX_OCTETS + 1)
  let used = 0
  for (;;) {
    const { bytesRead } = await file.read(content, used, content.length - used)
    used += bytesRead
    if (used > MAX_OCTETS) throw new KeyRefused(`${path}: larger than a key`)
    if (bytesRead === 0) return content.subarray(0, used)
  }
}

/** What the library says of a key that it cannot read tells nobody anything. */
function keyIn(pem: Buffer, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new KeyRefused(`${path}: not a private key in PEM, or one with a passphrase`)
  }
}

function algorithmOf(key: KeyObject, path: string): Algorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ed25519') return type
  if (type !== 'rsa') throw new KeyRefused(`${path}: neither an RSA nor an Ed25519 key`)
  if ((details?.modulusLength ?? 0) >= MIN_RSA_BITS) return type
  throw new KeyRefused(`${path}: an RSA key of less than ${MIN_RSA_BITS} bits`)
}
