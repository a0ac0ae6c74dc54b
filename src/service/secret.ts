/** What a server knows and tells nobody, the same after a restart: a file in the state directory. */
import { randomBytes } from 'node:crypto'
import { constants, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'

const NAME = 'secret'
const OCTETS = 32

/**
 * Reads the secret, or makes it. Only whoever holds the state directory may call this.
 * @param state the state directory; it is there
 * @returns 32 octets
 * @throws the system's errors, and an Error that names the file when it holds something else
 */
export async function serverSecret(state: string): Promise<Buffer> {
  const path = join(state, NAME)
  const text = await readFile(path, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return make(state, path)
  if (/^[0-9a-f]{64}\n$/.test(text)) return Buffer.from(text.trim(), 'hex')
  throw new Error(`${path}: not a secret of this program; remove it and another is made`)
}

async function make(state: string, path: string): Promise<Buffer> {
  const secret = randomBytes(OCTETS)
  const temporary = `${path}.${process.pid}`
  await writeSynced(temporary, `${secret.toString('hex')}\n`)
  await rename(temporary, path)
  const directory = await open(state, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
  return secret
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
