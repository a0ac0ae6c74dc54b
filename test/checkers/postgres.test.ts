/** The checker `postgres` and a real PostgreSQL. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashPassword } from '../../src/checkers/passwords.js'
import {
  checkerContract,
  faultContract,
  usersContract,
  withPassword,
} from '../contracts/checker.js'
import { type Postgres, postgresFolder, startPostgres } from '../helpers/postgres.js'
import { testWith } from '../helpers/programs.js'
import { badServer, check, privateFile, rubbish, silent } from './stage.js'

const QUERY = 'SELECT password, quota, name, disabled FROM users WHERE address = $1'

let folder = ''
let server: Postgres

async function make(query = QUERY, password = server.password) {
  const place = `${server.user}@127.0.0.1:${server.port}/postgres`
  return check(
    `postgres:postgres://${place};password_file=${await privateFile(password)};query=${query}`,
  )
}
const at = (port: number) =>
  check(`postgres:postgres://mail@127.0.0.1:${port}/x;timeout=1;query=${QUERY}`)

function withPostgres(programs: string): void {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mailtap-postgres-'))
    server = await startPostgres(folder, programs)
    const hash = await hashPassword('x')
    await server.run(`
      CREATE TABLE users (address text, password text, quota bigint, name text, disabled boolean);
      INSERT INTO users VALUES
        ('alice@example.com', '{PLAIN}Wonderland ', 2000000000, 'Alice', false),
        ('hashed@example.com', '${hash}', NULL, NULL, NULL),
        ('off@example.com', '{PLAIN}x', NULL, NULL, true),
        ('locked@example.com', '!{PLAIN}x', NULL, NULL, NULL),
        ('nothing@example.com', NULL, NULL, NULL, NULL),
        ('unmarked@example.com', 'x', NULL, NULL, NULL),
        ('twin@example.com', '{PLAIN}x', NULL, NULL, NULL),
        ('twin@example.com', '{PLAIN}x', NULL, NULL, NULL);`)
  }, 120_000)
  afterAll(async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  checkerContract('the checker postgres', () => make())
  usersContract('the checker postgres', () => make())
  faultContract('the checker postgres', {
    'is down': () => at(1),
    'says nothing': async () => at(await badServer(silent)),
    'says rubbish': async () => at(await badServer(rubbish)),
    'refuses us': () => make(QUERY, 'wrong'),
    'does not understand the query': () => make('SELECT $1 FROM nowhere'),
    'gives another column': () => make('SELECT $1::text AS pass'),
    'gives a number': () => make('SELECT 1 AS password WHERE $1::text IS NOT NULL'),
    'is slow': async () => {
      const query = "SELECT '{PLAIN}x' AS password, pg_sleep(3), $1::text"
      const file = await privateFile(server.password)
      const url = `postgres://${server.user}@127.0.0.1:${server.port}/postgres`
      return check(`postgres:${url};password_file=${file};timeout=1;query=${query}`)
    },
  })

  describe('the checker postgres', () => {
    const login = async (name: string) => (await make()).requestAvatarId(withPassword(name, 'x'))

    it('takes a hash, and nobody who is disabled, locked or without a password', async () => {
      expect(await login('hashed')).toBe('hashed@example.com')
      for (const name of ['off', 'locked', 'nothing']) expect(await login(name)).toBeNull()
    })

    it.each(['twin', 'unmarked'])('cannot tell what is meant by %s', async (name) => {
      await expect(login(name)).rejects.toThrow(/\S/)
    })

    it('gives the query the parts of the address', async () => {
      const query =
        "SELECT '{PLAIN}x' AS password WHERE $2 = 'carol' AND $3 = 'example.net' AND $1 <> ''"
      const checker = await make(query)
      const ask = (name: string) => checker.requestAvatarId(withPassword(name, 'x'))
      expect(await ask('carol@example.net')).toBe('carol@example.net')
      expect(await ask('carol@example.com')).toBeNull()
    })

    it('tells the quota and the name', async () => {
      const { users } = await make()
      expect(await users!.find({ local: 'alice', domain: 'example.com' })).toMatchObject({
        quota: { bytes: 2_000_000_000, messages: null },
        name: 'Alice',
      })
    })
  })
}

const programs = postgresFolder()
if (programs === null)
  testWith(['postgres'], 'the checker postgres works with a real server', async () => {})
else withPostgres(programs)

describe('the argument of the checker postgres', () => {
  it.each([
    'postgres',
    'postgres:postgres://u@h/d',
    'postgres:postgres://h/d;query=SELECT $1',
    'postgres:postgres://u:secret@h/d;query=SELECT $1',
    'postgres:postgres://u@h/d;query=SELECT 1',
    'postgres:postgres://u@h/d;query=SELECT $4',
    'postgres:mysql://u@h/d;query=SELECT $1',
  ])('is refused: %s', (spec) => {
    expect(() => check(spec)).toThrow(/the checker "postgres": /)
    expect(() => check(spec)).not.toThrow(/secret/)
  })
})
