/** A PostgreSQL server of its own, empty but for what a test puts in. */
import { readdirSync } from 'node:fs'
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Daemon, freePort, startDaemon } from './daemon.js'
import { type Ended, runProgram } from './programs.js'

/** Where Debian keeps the versions of it. */
const VERSIONS = '/usr/lib/postgresql'
/** It will not run as root: then it runs as nobody. */
const NOBODY = 65_534

export interface Postgres extends Daemon {
  readonly port: number
  /** Name of the superuser, and his password. */
  readonly user: string
  readonly password: string
  /** Runs statements. */
  run(sql: string): Promise<void>
}

/** The folder of its programs; `null` if it is not installed. */
export function postgresFolder(): string | null {
  try {
    const [version] = readdirSync(VERSIONS).toSorted().toReversed()
    return version === undefined ? null : join(VERSIONS, version, 'bin')
  } catch {
    return null
  }
}

/** @param folder is its own, and others may pass through */
export async function startPostgres(folder: string, programs: string): Promise<Postgres> {
  const user = 'mail'
  const password = "it's a secret"
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, password)
  await mkdir(data)
  await chmod(folder, 0o755)
  if (process.getuid?.() === 0) await chown(data, NOBODY, NOBODY)
  const options = ['-D', data, '-U', user, '-A', 'scram-sha-256', '--no-sync', '--locale=C.UTF-8']
  const made = await run(programs, 'initdb', [...options, `--pwfile=${passwordFile}`])
  if (made.code !== 0) throw new Error(`initdb: ${made.stderr}`)
  const port = await freePort()
  const place = ['-h', '127.0.0.1', '-p', String(port)]
  const ready = async () => (await run(programs, 'pg_isready', place)).code === 0
  const settings = ['-D', data, '-k', '', '-c', 'fsync=off', ...place]
  const [program, ...args] = asNobody(join(programs, 'postgres'), settings)
  const daemon = await startDaemon(program!, args, ready, 'SIGINT')
  const sql = async (text: string): Promise<void> => {
    const words = [...place, '-U', user, '-v', 'ON_ERROR_STOP=1', '-q', 'postgres']
    const ended = await runProgram(join(programs, 'psql'), words, {
      input: text,
      env: { PGPASSWORD: password },
    })
    if (ended.code !== 0) throw new Error(`psql: ${ended.stderr}`)
  }
  return { ...daemon, port, user, password, run: sql }
}

function run(programs: string, name: string, args: readonly string[]): Promise<Ended> {
  const [program, ...words] = asNobody(join(programs, name), args)
  return runProgram(program!, words)
}

function asNobody(program: string, args: readonly string[]): string[] {
  if (process.getuid?.() !== 0) return [program, ...args]
  const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  return ['setpriv', ...ids, program, ...args]
}
