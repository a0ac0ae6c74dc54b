/** Copies the folders of a Maildir++ (`.Sent`, `.Archive.2026`) and its small files of settings as they are. */
import fs from 'node:fs'
import { join } from 'node:path'
import { copyFile } from './adopt.js'
import { create } from './directories.js'
import { pathOf } from './scan.js'
import { dropSizes } from './size-file.js'
import { syncDirectory } from './system.js'

/** Folders that are copied; a mailbox with more is refused. */
const MAX_FOLDERS = 10_000
/** What other programs keep beside the mail and cannot make anew. */
const SETTINGS = ['subscriptions', 'courierimapsubscribed', 'dovecot-keywords']
const PARTS = ['new', 'cur']

/** @returns how many folders there are @throws NotAMaildir, or the system's error */
export async function copyFolders(source: string, target: string): Promise<number> {
  const folders = foldersIn(source)
  if (folders.length > MAX_FOLDERS)
    throw new RangeError(`${source}: more than ${MAX_FOLDERS} folders`)
  for (const name of folders) await copyFolder(join(source, name), join(target, name))
  await copyMissing({ from: source, to: target, drafts: join(target, 'tmp') }, SETTINGS)
  await syncDirectory(target)
  dropSizes(target)
  return folders.length
}

/** Directories with a leading dot that have a `cur`. */
export function foldersIn(maildir: string): string[] {
  const all = fs.readdirSync(maildir, { withFileTypes: true })
  return all
    .filter((each) => each.isDirectory() && each.name.startsWith('.'))
    .map(({ name }) => name)
    .filter((name) => fs.existsSync(join(maildir, name, 'cur')))
    .toSorted()
}

/** Its messages under their names, its files of settings and state. */
async function copyFolder(source: string, target: string): Promise<void> {
  await create(target)
  const drafts = join(target, 'tmp')
  for (const part of PARTS) {
    const [from, to] = [join(source, part), join(target, part)]
    if (!fs.existsSync(from)) continue
    await copyMissing({ from, to, drafts }, fs.readdirSync(from, 'latin1'))
    await syncDirectory(to)
  }
  const files = fs.readdirSync(source, { withFileTypes: true }).filter((each) => each.isFile())
  await copyMissing(
    { from: source, to: target, drafts },
    files.map(({ name }) => name),
  )
  await syncDirectory(target)
}

interface Way {
  readonly from: string
  readonly to: string
  readonly drafts: string
}

/** @param names a character per octet */
async function copyMissing({ from, to, drafts }: Way, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const [source, target] = [pathOf(from, name), pathOf(to, name)]
    const stats = fs.lstatSync(source, { throwIfNoEntry: false })
    if (stats?.isFile() !== true || fs.existsSync(target)) continue
    await copyFile(source, pathOf(drafts, name), target)
  }
}
