/** Reads mailtap.toml and the conf.d/*.toml beside it. */
import { open, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { parseToml, TomlError } from '../toml/toml.js'
import { ConfigError, type ConfigProblem } from './config-error.js'
import { Source, type SourceFile } from './source.js'

/** More than the settings of a hundred thousand domains. */
const MAX_BYTES = 16 * 1024 * 1024
/** Files in conf.d. */
const MAX_FILES = 1000

/**
 * @param file the main file; errors name it as it is given here
 * @throws ConfigError when a file is not TOML; errors of the file system as they are
 */
export async function readSource(file: string): Promise<Source> {
  const files: SourceFile[] = []
  const problems: ConfigProblem[] = []
  for (const each of [file, ...(await additions(file))]) {
    try {
      files.push({ file: each, document: parseToml(await readText(each), each) })
    } catch (error) {
      problems.push(asProblem(error))
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return new Source(files)
}

/**
 * The text of a settings file.
 * @throws ConfigError when it is too large or not UTF-8
 */
export async function readText(file: string): Promise<string> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    if (size > MAX_BYTES) refuse(file, `larger than ${MAX_BYTES} bytes; is this a config?`)
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await handle.readFile(),
    )
  } catch (error) {
    if (error instanceof TypeError) refuse(file, 'not UTF-8; save it as UTF-8')
    throw error
  } finally {
    await handle.close()
  }
}

/** The files of conf.d in name order, the same order everywhere. */
async function additions(file: string): Promise<string[]> {
  const directory = join(dirname(file), 'conf.d')
  const names = (await namesIn(directory)).filter((name) => /^[^.].*\.toml$/.test(name)).toSorted()
  if (names.length > MAX_FILES) refuse(directory, `more than ${MAX_FILES} files`)
  return names.map((name) => join(directory, name))
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

function asProblem(error: unknown): ConfigProblem {
  if (error instanceof ConfigError) return error.problems[0]!
  if (!(error instanceof TomlError)) throw error
  const where = `${error.file}:${error.place.line}:${error.place.column}`
  return { where, what: error.message.slice(where.length + 2) }
}

function refuse(file: string, what: string): never {
  throw new ConfigError([{ where: file, what: `${basename(file)}: ${what}` }])
}
