/** `mailtap alias add` and `remove`: the aliases file changed by one alias, everything else in it kept. */
import { basename, dirname } from 'node:path'
import { withAlias, withoutAlias } from '../src/directory/alias-edit.js'
import { readSmallFile, writeSmallFile } from '../src/directory/small-file.js'
import { foldLocal } from '../src/mail/address.js'
import { accountOf, named, type Account } from './account.js'
import type { Given } from './command.js'
import { changeConfig } from './config-lock.js'
import { Exit, Failure } from './exit.js'
import { isThere } from './make.js'
import { giveToOwnerOf } from './ownership.js'
import { replaceFile } from './replace-file.js'
import { settingsFor } from './settings.js'
import { say } from './terminal.js'

/** Bytes, as the server reads it. */
const MAX_ALIASES_FILE = 8_388_608

export async function add(given: Given): Promise<void> {
  const { account, file } = await place(given)
  const [targets = ''] = given.others
  const name = foldLocal(account.address.local)
  await changeConfig(file, async () => {
    const text = withAlias(await textOf(file), name, targets, file)
    if (given.has('dry-run')) return
    await write(account, file, text)
  })
  const did = given.has('dry-run') ? 'would add' : 'added'
  say(`${did} the alias ${named(account)} to ${file}`)
}

export async function remove(given: Given): Promise<void> {
  const { account, file } = await place(given)
  const name = foldLocal(account.address.local)
  await changeConfig(file, async () => {
    const text = withoutAlias(await textOf(file), name, file)
    if (text === null) {
      const what = `no alias ${named(account)} in ${file}; 'mailtap alias list' shows which there are`
      throw new Failure(Exit.noSuchUser, what)
    }
    if (!given.has('dry-run')) await write(account, file, text)
  })
  const did = given.has('dry-run') ? 'would remove' : 'removed'
  say(`${did} the alias ${named(account)} in ${file}`)
}

async function place(given: Given): Promise<{ account: Account; file: string }> {
  const config = await settingsFor(given)
  const account = accountOf(config, given.argument!)
  return { account, file: config.domains[account.address.domain]!.aliases }
}

async function textOf(file: string): Promise<string> {
  if (!(await isThere(file))) return ''
  return (await readSmallFile(file, { limit: MAX_ALIASES_FILE, followLink: true })).text
}

async function write({ domain }: Account, file: string, text: string): Promise<void> {
  if (await isThere(file)) return replaceFile(file, text)
  await writeSmallFile(dirname(file), basename(file), text, true)
  if (dirname(file) === domain) await giveToOwnerOf(domain, [file])
}
