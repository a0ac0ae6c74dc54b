/**
 * The package as a newcomer gets it: only the files that npm would publish, imported by name from
 * another project.
 */
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../helpers/programs.js'
import { ROOT } from '../helpers/site.js'

const PROGRAM = `
import { mailtap } from 'mailtap'
import { createTransport } from 'nodemailer'

const server = mailtap({ users: { 'alice@example.com': 'secret' } })
await server.start()
const host = { host: '127.0.0.1', port: server.port('smtp') }
const transport = createTransport({ ...host, tls: { rejectUnauthorized: false } })
await transport.sendMail({
  from: 'bob@elsewhere.example',
  to: 'alice@example.com',
  subject: 'hello',
  text: 'one\\n.two\\n',
})
const message = await server.waitForMessage('alice@example.com')
process.stdout.write(message)
transport.close()
await server.stop()
`
/** The compiler sees the same through the types of the package, and nothing of its inside. */
const TYPED = `
import { mailtap, type Mailtap } from 'mailtap'
export const server: Mailtap = mailtap({ users: { 'alice@example.com': 'secret' } })
export const message: Promise<Buffer> = server.waitForMessage('alice@example.com')
// @ts-expect-error -- a port has a name that is known
server.port('smpt')
// @ts-expect-error -- parts are not exported
import('mailtap/dist/src/server.js')
`

let project: string

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'mailtap-newcomer-'))
  const modules = join(project, 'node_modules')
  await mkdir(modules)
  const installed = join(ROOT, 'node_modules')
  const names = (await readdir(installed)).filter((name) => !name.startsWith('.'))
  for (const name of names) await symlink(join(installed, name), join(modules, name))
  for (const file of await published()) {
    await mkdir(dirname(join(modules, 'mailtap', file)), { recursive: true })
    await cp(join(ROOT, file), join(modules, 'mailtap', file))
  }
  await writeFile(join(project, 'package.json'), '{ "type": "module", "private": true }\n')
})
afterAll(() => rm(project, { recursive: true, force: true }))

/** What npm would put into the package. */
async function published(): Promise<string[]> {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline', ROOT]
  const npm = join(dirname(process.execPath), 'npm')
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}` }
  const packed = await runProgram(npm, args, { home: project, env })
  expect(packed, packed.stderr).toMatchObject({ code: 0 })
  const [{ files }] = JSON.parse(packed.stdout.toString()) as [{ files: { path: string }[] }]
  return files.map(({ path }) => path)
}

/** Runs a program of the newcomer's with the same Node. */
function node(...args: readonly string[]) {
  return runProgram('env', ['-C', project, process.execPath, ...args], { home: project })
}

describe('the package', () => {
  test('is what another program imports to get a mail server', async () => {
    const file = join(project, 'newcomer.js')
    await writeFile(file, PROGRAM)
    const { code, stdout, stderr } = await node(file)
    expect(code, stderr).toBe(0)
    expect(stdout.toString()).toMatch(/\r\nSubject: hello\r\n/)
    expect(stdout.toString()).toContain('\r\none\r\n.two\r\n')
  })

  test('brings its types, and hides its parts', async () => {
    const file = join(project, 'newcomer.ts')
    await writeFile(file, TYPED)
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023']
    const { code, stdout } = await node(tsc, ...options, '--types', 'node', file)
    expect(stdout.toString()).toBe('')
    expect(code).toBe(0)
  })

  test('holds the program and no test, source or secret', async () => {
    const files = await published()
    expect(files).toContain('dist/cli/main.js')
    expect(files).toContain('dist/src/mailtap.d.ts')
    const known = /^(dist\/(cli|maildir|src)\/|package\.json$|README\.md$|CHANGELOG\.md$|LICENSE$)/
    expect(files.filter((name) => !known.test(name))).toEqual([])
    const { code, stdout } = await node(
      join('node_modules', 'mailtap', 'dist', 'cli', 'main.js'),
      '--version',
    )
    expect(code).toBe(0)
    expect(stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
