/** Finds the config that a command works with. */
import { access } from 'node:fs/promises'
import { checkerTypes } from '../src/checkers/checkers.js'
import type { Config } from '../src/config/config.js'
import { loadConfig } from '../src/config/load.js'
import { authProblem } from './auth-types.js'
import type { Given } from './command.js'
import { Exit, Failure } from './exit.js'

const PLACES = ['mailtap.toml', '/etc/mailtap/mailtap.toml']

/**
 * The file that `-c`, MAILTAP_CONFIG or the usual places name.
 * @throws Failure when there is none
 */
export async function configFile(given: Given): Promise<string> {
  const said = given.last('config') ?? process.env['MAILTAP_CONFIG'] ?? ''
  if (said !== '') return said
  for (const place of PLACES) if (await exists(place)) return place
  throw new Failure(
    Exit.badConfig,
    `no config: neither ./${PLACES.join(' nor ')} is there; name one with -c FILE, ` +
      "or make one: 'mailtap create -d example.com=./Maildir'",
  )
}

/** @throws Failure, ConfigError */
export async function settingsFor(given: Given): Promise<Config> {
  return readConfig(await configFile(given))
}

/** Loads a config and says it in a person's words when the file can not be opened. */
export async function readConfig(file: string): Promise<Config> {
  try {
    const config = await loadConfig(file, [...checkerTypes.keys()])
    for (const spec of config.auth) checkAuth(spec, file)
    return config
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      const what = `${path ?? file}: no such file; name the config with -c FILE or make one with 'mailtap create'`
      throw new Failure(Exit.badConfig, what, { cause: error })
    }
    if (code === 'EISDIR') throw new Failure(Exit.badConfig, `${file}: a directory, not a config`)
    throw error
  }
}

/** @throws Failure */
function checkAuth(spec: string, file: string): void {
  const problem = authProblem(spec)
  if (problem !== null) throw new Failure(Exit.badConfig, `${file}: auth: ${problem}`)
}

/** @throws Failure when the config names nothing to listen on */
export function requireListeners({ listen }: Config): void {
  if (Object.values(listen).some((endpoints) => endpoints.length > 0)) return
  const what = '[listen] names no endpoint; write one there, such as smtp = ["25"], pop3 = ["110"]'
  throw new Failure(Exit.badConfig, what)
}

/** A file that can not be looked at may be there: opening it will tell. */
async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}
