/**
 * A server that can not start says why in one line, with the exit code that scripts look for, and
 * leaves nothing behind.
 */
import { chmod, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { stillAnswers } from '../helpers/mail-talk.js'
import { powerless, privilegedPort } from '../helpers/powerless.js'
import { type Ended, runProgram, testUnless } from '../helpers/programs.js'
import { mailtapCommand, PROGRAM, Site } from '../helpers/site.js'

const wrap = await powerless()
const port = privilegedPort()
const noWay = wrap === null ? 'root can not give up its powers here' : null
const noPort = port === null ? 'every port is free for all here' : null

const sites: Site[] = []
afterEach(async () => {
  for (const site of sites.splice(0)) await site.remove()
})

async function made(create?: readonly string[]): Promise<Site> {
  const site = await Site.create(create === undefined ? {} : { create })
  sites.push(site)
  return site
}

/** `mailtap run` without the powers of root. */
function runPowerless(site: Site): Promise<Ended> {
  const [program, ...args] = [...wrap!, process.execPath, PROGRAM, 'run', '-c', site.config]
  return runProgram(program, args)
}

/** One line on standard error that has this, and that code. */
function expectRefusal({ code, stderr, stdout }: Ended, exit: number, says: RegExp): void {
  expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: exit, stdout: '' })
  expect(stderr).toMatch(/^mailtap: [^\n]+\n$/)
  expect(stderr).toMatch(says)
}

describe('mailtap run is refused', () => {
  test('a second time on the same state directory, and the first one goes on', async () => {
    const site = await made()
    const server = await site.start()
    const state = join(site.folder, 'state')
    expectRefusal(
      await site.command(['run']),
      75,
      new RegExp(`${state}.* process ${server.pid}\\b`),
    )
    await stillAnswers(server.ports)
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    const again = await site.start()
    await stillAnswers(again.ports)
  })

  test('when another program has the port', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`
    const site = await made(['-s', '127.0.0.1:0', '-p', taken])
    expectRefusal(await site.command(['run']), 69, new RegExp(`pop3 on ${taken}: .*stop it`))
    // The half that could start has ended, too: nothing is in the way of the next try.
    other.close()
    await once(other, 'close')
    await stillAnswers((await site.start()).ports)
  })

  testUnless(noWay ?? noPort, 'for a port that needs a privilege it has not', async () => {
    const site = await made(['-s', `127.0.0.1:${port}`, '-p', 'none'])
    expectRefusal(
      await runPowerless(site),
      77,
      new RegExp(`smtp on 127\\.0\\.0\\.1:${port}: no perm`),
    )
  })

  testUnless(noWay, 'with a config that it may not read', async () => {
    const site = await made()
    await chmod(site.config, 0)
    expectRefusal(await runPowerless(site), 77, /mailtap\.toml/)
  })

  test('without a config', async () => {
    const site = await made()
    await rm(site.config)
    expectRefusal(await site.command(['run']), 78, /mailtap\.toml/)
  })

  test.each([
    ['that is no TOML', 'listen = [', /mailtap\.toml:\d+:\d+/],
    ['with an unknown key', 'hostnam = "x"', /mailtap\.toml:1:1: .*hostnam/],
    ['with a wrong type', 'auth = 3', /mailtap\.toml:1:1: auth: expected/],
    ['that asks for what is not built', '[run]\nuid = "mail"', /mailtap\.toml:2:\d+.*not in/],
    [
      'whose certificate is missing',
      '[tls]\ncert = "no"\nkey = "mailtap.toml"',
      /:2:1: .*no: no such/,
    ],
  ])('with a config %s, and says where', async (_, toml, says) => {
    const site = await made()
    await writeFile(site.config, `${toml}\n`)
    expectRefusal(await site.command(['run']), 78, says)
  })

  test('before it makes anything: the state directory holds no claim afterwards', async () => {
    const site = await made(['-s', '203.0.113.7:2525', '-p', 'none'])
    expectRefusal(await site.command(['run']), 78, /no such address/)
    const left = await readdir(join(site.folder, 'state'))
    expect(left.filter((name) => name.endsWith('.pid'))).toEqual([])
  })
})

test('mailtap run takes no argument that it does not know', async () => {
  const { code, stderr } = await mailtapCommand(['run', '--prot', '25'])
  expect(code).toBe(64)
  expect(stderr).toContain('--prot')
})
