/** HAProxy in front of a server under test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { locate } from './programs.js'

/** Tries to reach it, a twentieth of a second apart. */
const TRIES = 200

interface Front {
  /** Port of the server behind it. */
  readonly server: number
  /** How it says for whom it speaks: `send-proxy`, `send-proxy-v2`, … */
  readonly sends: string
  /** A PEM file with certificate and key: TLS ends here. */
  readonly crt?: string
}

/**
 * Runs until the test is over.
 * @param folder for its configuration
 * @returns its ports, in the order of the fronts
 */
export async function haproxy(folder: string, fronts: readonly Front[]): Promise<number[]> {
  const ports: number[] = []
  for (const _ of fronts) ports.push(await freePort())
  const config = join(folder, 'haproxy.cfg')
  const parts = fronts.map((front, index) => part(front, ports[index]!))
  await writeFile(config, `${DEFAULTS}${parts.join('')}`)
  const child = spawn(locate('haproxy') ?? 'haproxy', ['-db', '-f', config], { stdio: 'ignore' })
  onTestFinished(() => end(child))
  for (const port of ports) await answers(port, child)
  return ports
}

const DEFAULTS = `global
  maxconn 100
  tune.ssl.default-dh-param 2048
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
`

function part({ server, sends, crt }: Front, port: number): string {
  const tls = crt === undefined ? '' : ` ssl crt ${crt}`
  return `listen front${port}
  bind 127.0.0.1:${port}${tls}
  server behind 127.0.0.1:${server} ${sends}
`
}

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < TRIES && child.exitCode === null; tries++) {
    const socket = connect(port, '127.0.0.1')
    const reached = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (reached) return
    await sleep(50)
  }
  throw new Error(`haproxy does not listen on ${port}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}
