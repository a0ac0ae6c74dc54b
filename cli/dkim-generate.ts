/** `mailtap dkim generate`: makes keys for a domain. */
import { generateKeyPair } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { errorCode } from '../maildir/maildir.js'
import { writeSmallFile } from '../src/directory/small-file.js'
import { isSelector, keyFilesIn } from '../src/dkim/key-files.js'
import { keyFolder } from '../src/dkim/key-folder.js'
import type { Algorithm } from '../src/dkim/signature.js'
import { ownDomain } from './account.js'
import type { Given } from './command.js'
import { sayKeys } from './dkim-txt.js'
import { Exit, Failure, usage } from './exit.js'
import { giveToOwnerOf } from './ownership.js'
import { settingsFor } from './settings.js'

/** RFC 8301 section 3.2; longer ones do not fit into one answer of the DNS over UDP. */
const RSA_BITS = 2_048
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('')
const ALGORITHMS: Readonly<Record<string, readonly Algorithm[]>> = {
  rsa: ['rsa'],
  ed25519: ['ed25519'],
  both: ['rsa', 'ed25519'],
}

const makePair = promisify(generateKeyPair)

/** @throws Failure; no key is replaced ever */
export async function generate(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const domain = ownDomain(config, given.argument ?? '')
  const algorithms = algorithmsOf(given)
  const folder = keyFolder(config, domain)!
  const present = await keyFilesIn(folder)
  const files = selectorsOf(given, algorithms, present).map((name) => join(folder, `${name}.pem`))
  const taken = files.find((file) => present.includes(file))
  if (taken !== undefined) throw new Failure(Exit.cannotCreate, `${taken}: is there already`)
  const pems = await Promise.all(algorithms.map(newKey))
  await makeFolder(folder)
  for (const [at, file] of files.entries()) await write(folder, file, pems[at]!)
  await giveToOwnerOf(dirname(folder), [folder, ...files])
  await sayKeys(given, config, [domain], files)
}

/** @throws Failure */
function algorithmsOf(given: Given): readonly Algorithm[] {
  const said = given.last('algorithm') ?? 'both'
  if (Object.hasOwn(ALGORITHMS, said)) return ALGORITHMS[said]!
  throw usage(`--algorithm ${said}: it is rsa, ed25519 or both`)
}

/** In the DNS two keys must not share a name (RFC 6376 section 3.6.2.2). @throws Failure */
function selectorsOf(
  given: Given,
  algorithms: readonly Algorithm[],
  present: readonly string[],
): readonly string[] {
  const said = given.last('selector')
  const name = said ?? freeName(present)
  const selectors =
    said !== null && algorithms.length === 1
      ? [name]
      : algorithms.map((algorithm) => `${name}-${algorithm}`)
  if (selectors.every(isSelector)) return selectors
  throw usage(`--selector ${name}: it is made of a-z, 0-9 and hyphens, at most 50 of them`)
}

/** The first of this year that no key has. @throws Failure */
function freeName(present: readonly string[]): string {
  const year = new Date().getUTCFullYear()
  const isTaken = (name: string): boolean => present.some((path) => path.includes(`/${name}-`))
  const letter = LETTERS.find((each) => !isTaken(`${year}${each}`))
  if (letter !== undefined) return `${year}${letter}`
  throw new Failure(Exit.cannotCreate, `${year}a to ${year}z are taken; name one with -s`)
}

async function newKey(algorithm: Algorithm): Promise<string> {
  const pair =
    algorithm === 'rsa'
      ? await makePair('rsa', { modulusLength: RSA_BITS })
      : await makePair('ed25519', {})
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    if ((await lstat(folder)).isDirectory()) return
    throw new Failure(Exit.cannotCreate, `${folder}: a link or a file, not a directory; remove it`)
  }
}

async function write(folder: string, file: string, pem: string): Promise<void> {
  try {
    await writeSmallFile(folder, file.slice(folder.length + 1), pem, true)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    throw new Failure(Exit.cannotCreate, `${file}: is there already`)
  }
}
