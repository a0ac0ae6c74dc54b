/** A directory of its own for the config under test, with a directory for its domain. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, onTestFinished } from 'vitest'
import type { Config } from '../../src/config/config.js'
import { ConfigError } from '../../src/config/config-error.js'
import { loadConfig } from '../../src/config/load.js'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mailtap-config-'))
  await mkdir(join(root, 'Maildir'))
  const made = root
  onTestFinished(() => rm(made, { recursive: true, force: true }))
})

export const DOMAIN = '[domains."example.com"]\npath = "Maildir"\n'

/** A path in the directory of this test. */
export const inRoot = (...names: string[]): string => join(root, ...names)

export async function write(name: string, content: string | Buffer): Promise<string> {
  const file = join(root, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
  return file
}

export async function load(text: string): Promise<Config> {
  return loadConfig(await write('mailtap.toml', text), ['directory'])
}

/** Every problem, the place without the directory. */
export async function problems(text: string): Promise<string[]> {
  try {
    await load(text)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ where, what }) => `${where}: ${what}`.replaceAll(`${root}/`, ''))
  }
}
