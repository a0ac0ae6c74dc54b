import { once } from 'node:events'
import { chmod, readFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runProgram } from '../helpers/programs.js'
import { RunningServer, PROGRAM } from '../helpers/site.js'
import { oneLine, Workplace } from './workplace.js'

const NOBODY = 65_534

/** @param node options of Node itself */
function start(place: Workplace, ...node: string[]): RunningServer {
  const server = new RunningServer([
    process.execPath,
    ...node,
    PROGRAM,
    'run',
    '-c',
    place.file('mailtap.toml'),
  ])
  onTestFinished(async () => void (await server.kill('SIGKILL')))
  return server
}

/** A port of the loopback address that somebody else has until the test is over. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** How to run a program without the rights of root; `null` if a process of ours could not even read it. */
async function withoutRights(place: Workplace): Promise<{ uid?: number } | null> {
  if (process.getuid?.() !== 0) return {}
  await chmod(place.path, 0o777)
  const { code } = await place.mailtap(['--version'], { uid: NOBODY }).catch(() => ({ code: null }))
  return code === 0 ? { uid: NOBODY } : null
}

describe('mailtap run', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'names what it bound, and ends well at %s',
    async (signal) => {
      const place = await Workplace.withConfig()
      const server = start(place)
      await server.ready()
      expect(server.readyLine).toMatch(/^smtp on 127\.0\.0\.1:\d+, pop3 on 127\.0\.0\.1:\d+$/)
      expect(await server.kill(signal)).toEqual({ code: 0, signal: null })
    },
  )

  test('logs JSON and nothing but JSON where that is asked for', async () => {
    const place = await Workplace.withConfig()
    const config = await place.read('mailtap.toml')
    await place.write('mailtap.toml', `${config}\n[log]\nformat = "json"\n`)
    const server = start(place)
    await server.says(/server ready/)
    await server.kill('SIGTERM')
    const lines = server.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(lines.length).toBeGreaterThanOrEqual(3)
    expect(server.output).toMatch(/smtp:127\.0\.0\.1:\d+ pop3:127\.0\.0\.1:\d+/)
  })

  test('takes up a changed config at SIGHUP, and keeps the old one when the new one is bad', async () => {
    const place = await Workplace.withConfig()
    const server = start(place)
    await server.ready()
    const good = await place.read('mailtap.toml')
    await place.write('mailtap.toml', `nonsense = 1\n${good}`)
    server.signal('SIGHUP')
    await server.says(/config not reloaded .*mailtap\.toml:1:1: unknown key/)
    await place.write('mailtap.toml', good)
    server.signal('SIGHUP')
    await server.says(/config reloaded/)
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  })

  test('refuses to be the second one on a state directory, and names the first', async () => {
    const place = await Workplace.withConfig()
    const server = start(place)
    await server.ready()
    const second = await place.mailtap(['run'])
    expect(second.code).toBe(75)
    expect(oneLine(second)).toContain(`in use by process ${server.pid}`)
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(await start(place).ready()).toBeUndefined()
  })

  test('says which port another program has', async () => {
    const place = await Workplace.make()
    const port = await takenPort()
    await place.mailtap(['create', '-d', 'a.org=./a', '-s', 'none', '-p', `127.0.0.1:${port}`])
    const outcome = await place.mailtap(['run'])
    expect([outcome.code, outcome.out]).toEqual([69, ''])
    expect(oneLine(outcome)).toContain(
      `cannot listen for pop3 on 127.0.0.1:${port}: another program`,
    )
  })

  test('says how to get port 25 without being root', async ({ skip }) => {
    const lowest = await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(
      () => '',
    )
    if (Number(lowest.trim()) <= 25) skip('every user may listen on port 25 of this machine')
    const place = await Workplace.make()
    const rights = await withoutRights(place)
    if (rights === null) return skip('another user cannot read the program here')
    await place.mailtap(['create', '-d', 'a.org=./a', '-s', '127.0.0.1:25', '-p', 'none'], rights)
    const outcome = await place.mailtap(['run'], rights)
    expect(outcome.code).toBe(77)
    expect(oneLine(outcome)).toMatch(/127\.0\.0\.1:25: no permission.*setcap.*above 1023/)
  })

  test('says when it may not read the config', async ({ skip }) => {
    const place = await Workplace.withConfig()
    const rights = await withoutRights(place)
    if (rights === null) return skip('another user cannot read the program here')
    await chmod(place.file('mailtap.toml'), 0)
    const outcome = await place.mailtap(['run'], rights)
    expect([outcome.code, oneLine(outcome)]).toEqual([
      77,
      'mailtap.toml: permission denied; run this as the owner of it',
    ])
  })

  test('does not start with a config that is wrong', async () => {
    const place = await Workplace.withFiles()
    await place.write('mailtap.toml', 'x = 1\ny = 2\n')
    const outcome = await place.mailtap(['run'])
    expect([outcome.code, outcome.err.trim().split('\n')]).toEqual([
      78,
      [expect.stringMatching(/^mailtap: mailtap\.toml:1:1: /), expect.stringMatching(/:2:1: /)],
    ])
  })

  test('ends at once at the second signal, whoever is still talking', async () => {
    const place = await Workplace.withConfig()
    const server = start(place)
    await server.ready()
    const client = connect(server.port('smtp'), '127.0.0.1')
    onTestFinished(() => void client.destroy())
    client.on('error', () => {})
    await converse(client, [
      [/^220 /, 'EHLO me'],
      [/^250 /m, 'MAIL FROM:<a@example.org>'],
      [/^250 /, 'RCPT TO:<postmaster@example.com>'],
      [/^250 /, 'DATA'],
      [/^354 /, 'Subject: half'],
    ])
    server.signal('SIGTERM')
    await server.says(/server stopping signal=SIGTERM/)
    expect(await server.kill('SIGTERM')).toEqual({ code: 143, signal: null })
  })

  test('says what happened when a fault ends it', async () => {
    const place = await Workplace.withConfig()
    const fault = 'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("boom")})'
    const server = start(place, '--import', fault)
    await server.ready()
    expect(await server.kill('SIGUSR2')).toEqual({ code: 1, signal: null })
    expect(server.output).toMatch(/ error server fault reason=boom stack="Error: boom/)
    expect(server.output).toContain('mailtap: internal error: boom\n')
  })

  test('has no part in a reader of its output that goes away', async () => {
    const place = await Workplace.withConfig()
    const line = `'${process.execPath}' '${PROGRAM}' config schema | true`
    const { code, stderr } = await runProgram('/bin/sh', ['-c', line], { home: place.path })
    expect([code, stderr]).toEqual([0, ''])
  })
})

/** Waits for each answer and sends the line that follows it. */
async function converse(
  client: Socket,
  steps: readonly (readonly [RegExp, string])[],
): Promise<void> {
  for (const [answer, line] of steps) {
    let heard = ''
    while (!answer.test(heard)) {
      const [chunk] = (await once(client, 'data')) as [Buffer]
      heard += chunk.toString()
    }
    client.write(`${line}\r\n`)
  }
}
