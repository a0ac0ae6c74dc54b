/** Servers that we did not write, on ports of this machine that nobody else has, for as long as a test runs. */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { locate } from './programs.js'

const START_MS = 30_000
const STOP_MS = 10_000
const STEP_MS = 50
const MAX_OUTPUT = 65_536

export interface Daemon {
  /** What it has said so far, on both streams. */
  output(): string
  stop(): Promise<void>
}

/** A port that was free a moment ago, for TCP and UDP. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = createSocket('udp4').bind(port, '127.0.0.1')
  await once(socket, 'listening')
  socket.close()
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Starts a program that stays in the foreground and waits until it works.
 * @param signal what ends it; one with children must be asked
 * @throws Error when it ends before, or takes too long; it is gone then
 */
export async function startDaemon(
  program: string,
  args: readonly string[],
  works: () => Promise<boolean>,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<Daemon> {
  const child = spawn(locate(program) ?? program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keep = (chunk: Buffer): void => void (output = (output + String(chunk)).slice(-MAX_OUTPUT))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  let over = false
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true
      resolve()
    }
    child.once('error', end)
    child.once('close', end)
  })
  const kill = (): boolean => child.kill(signal)
  process.once('exit', kill)
  const stop = async (): Promise<void> => {
    process.off('exit', kill)
    kill()
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(timer)
  }
  const late = performance.now() + START_MS
  while (!(await works())) {
    if (!over && performance.now() < late) await new Promise((next) => setTimeout(next, STEP_MS))
    else {
      await stop()
      throw new Error(`${program} does not work: ${output}`)
    }
  }
  return { output: () => output, stop }
}

/** True if somebody takes connections there: a port of 127.0.0.1, or the path of a UNIX socket. */
export async function answers(place: number | string): Promise<boolean> {
  const socket = typeof place === 'number' ? connect(place, '127.0.0.1') : connect({ path: place })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
