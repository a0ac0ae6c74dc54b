/** The checker `module`, with the template of the documentation and with plugins that misbehave. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  checkerContract,
  faultContract,
  usersContract,
  withPassword,
} from '../contracts/checker.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { runProgram } from '../helpers/programs.js'
import { check, privateFile } from './stage.js'

const TEMPLATE = fileURLToPath(new URL('../../docs/checker-template', import.meta.url))
const PEOPLE = JSON.stringify({ 'alice@example.com': { password: 'Wonderland ' } })
const ALICE = withPassword('alice@example.com', 'Wonderland ')

const make = async () =>
  check(`module:${TEMPLATE}/checker.js;users=yes;argument=${await privateFile(PEOPLE)}`)

async function plugin(text: string, more = ';users=yes;timeout=1') {
  const path = join(await temporaryDirectory(), 'plugin.mjs')
  await writeFile(path, text)
  return check(`module:${path}${more}`)
}
const answering = (code: string) =>
  plugin(`export const createChecker = () =>
    ({ requestAvatarId() { ${code} }, findUser() { ${code} } })`)

checkerContract('a plugin', make, ['password'])
usersContract('a plugin', make)
faultContract('a plugin', {
  'is not there': () => check('module:/dev/null/none.js;users=yes'),
  'is a package that is not there': () => check('module:mailtap-no-such-package;users=yes'),
  'is no JavaScript': () => plugin('this is none'),
  'exports something else': () => plugin('export const createchecker = () => ({})'),
  'makes no checker': () => plugin('export const createChecker = () => null'),
  'cannot be made': () => plugin('export const createChecker = () => { throw new Error("x") }'),
  throws: () => answering('throw new Error("x")'),
  'never answers': () => answering('return new Promise(() => {})'),
  'answers with a number': () => answering('return 1'),
  'answers with nothing': () => answering(''),
})

describe('a plugin', () => {
  it('can name nobody but people of our domains', async () => {
    const checker = await answering('return "root@b.example"')
    expect(await checker.requestAvatarId(ALICE)).toBeNull()
  })

  it('without users=yes lets in only whoever has an account here', async () => {
    const code =
      'export const createChecker = () => ({ requestAvatarId: () => "alice@example.com" })'
    const checker = await plugin(code, '')
    expect(checker.users).toBeUndefined()
    expect(await checker.requestAvatarId(ALICE)).toBeNull()
  })

  it.each(['module', 'module:', 'module:./x.js', 'module:a b', 'module:x;kinds=scram'])(
    'is refused as %j',
    (spec) => {
      expect(() => check(spec)).toThrow(/the checker "module": /)
    },
  )
})

describe('the template of a plugin', () => {
  it('passes the test that comes with it', async () => {
    const test = join(TEMPLATE, 'checker.test.js')
    const { code, stdout } = await runProgram(process.execPath, ['--test', test])
    expect([code, String(stdout)]).toEqual([0, expect.stringMatching(/pass 4/)])
  })
})
