/** Domains on a real disk, in a directory of their own that goes away with the test. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { FilesDirectory, type FilesDomain } from '../../src/directory/files.js'
import { key } from '../../src/directory/key.js'
import { Users } from '../../src/directory/users.js'
import { silent, type Log } from '../../src/log/log.js'
import { type Address, parseAddress } from '../../src/mail/address.js'

/** What a directory holds, whatever it is made of. */
export interface World {
  readonly domains: Readonly<Record<string, WorldDomain>>
  readonly defaultDomain?: string | null
  readonly aliasDomains?: Readonly<Record<string, string>>
  readonly tagSeparator?: string
}

export interface WorldDomain {
  /** Stored passwords by local part. */
  readonly users?: Readonly<Record<string, string>>
  readonly aliases?: string
  readonly bounceToPostmaster?: boolean
  /** An address. */
  readonly catchAll?: string
}

export interface Tree {
  /** Holds one directory per domain, named like it, and nothing else. */
  readonly root: string
  readonly directory: FilesDirectory
  users(domain: string): Users
  /** A user file, by its own name. */
  userFile(domain: string, name: string): string
  aliasFile(domain: string): string
}

export async function temporaryDirectory(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'mailtap-test-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return root
}

export async function plant(
  world: World,
  options: { log?: Log; now?: () => number } = {},
): Promise<Tree> {
  const root = await temporaryDirectory()
  const domains: Record<string, FilesDomain> = {}
  for (const [name, domain] of Object.entries(world.domains)) {
    domains[name] = await plantDomain(join(root, name), domain)
  }
  const { defaultDomain = null, aliasDomains = {}, tagSeparator = '+' } = world
  const settings = { domains, defaultDomain, aliasDomains, tagSeparator }
  return {
    root,
    directory: new FilesDirectory({ ...settings, log: silent, ...options }),
    users: (domain) => new Users(join(root, domain)),
    userFile: (domain, name) => join(root, domain, '.users', name),
    aliasFile: (domain) => join(root, domain, '.aliases'),
  }
}

async function plantDomain(path: string, domain: WorldDomain): Promise<FilesDomain> {
  await mkdir(join(path, '.users'), { recursive: true, mode: 0o700 })
  for (const [local, stored] of Object.entries(domain.users ?? {})) {
    await writeFile(join(path, '.users', key(local)!), `${stored}\n`, { mode: 0o600 })
  }
  const aliases = join(path, '.aliases')
  if (domain.aliases !== undefined) await writeFile(aliases, domain.aliases)
  const catchAll = domain.catchAll === undefined ? null : parseAddress(domain.catchAll)
  return { path, aliases, bounceToPostmaster: domain.bounceToPostmaster ?? false, catchAll }
}

export async function countTargets(tree: Tree, to: Address): Promise<number> {
  return (await tree.directory.resolve(to)).length
}
