/** Domains with keys in directories of their own. */
import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Algorithm } from '../../src/dkim/signature.js'

/** Removed when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mailtap-dkim-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** One key of each kind for all tests: making them takes longest. */
const pems = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey,
  ed25519: generateKeyPairSync('ed25519').privateKey,
}

export const pemOf = (algorithm: Algorithm): string =>
  pems[algorithm].export({ type: 'pkcs8', format: 'pem' }).toString()

export class KeyStage {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<KeyStage> {
    return new KeyStage(await temporaryFolder())
  }

  /** Where the keys of a domain are. */
  folder(domain: string): string {
    return join(this.path, domain, '.dkim')
  }

  /** @param ageMs how long it has been there, in milliseconds @param content what is in the file */
  async key(
    domain: string,
    selector: string,
    algorithm: Algorithm,
    { ageMs = 0, content = pemOf(algorithm), mode = 0o600 } = {},
  ): Promise<string> {
    const folder = this.folder(domain)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, `${selector}.pem`)
    await writeFile(path, content)
    await chmod(path, mode)
    const made = new Date(Date.now() - ageMs)
    await utimes(path, made, made)
    return path
  }
}
