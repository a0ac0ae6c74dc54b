/** Binds a server to its endpoint, or says why it cannot be. */
import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { type Endpoint, formatEndpoint, type TcpEndpoint, type UnixEndpoint } from './endpoint.js'

/** Connections that wait in the kernel to be accepted. */
const BACKLOG = 1_024

/**
 * Listens.
 * @param protocol for the error
 * @throws ListenError with the system's code (EADDRINUSE, EACCES, …); the server is closed then
 */
export async function bind(server: Server, endpoint: Endpoint, protocol: string): Promise<void> {
  try {
    if (endpoint.kind === 'unix') await bindUnix(server, endpoint)
    else await bindTcp(server, endpoint)
  } catch (error) {
    server.close()
    throw new ListenError(protocol, endpoint, error)
  }
}

async function bindUnix(server: Server, { path, mode }: UnixEndpoint): Promise<void> {
  await removeDeadSocket(path)
  await listenPrivately(server, path)
  await chmod(path, mode)
}

async function bindTcp(server: Server, { host, port }: TcpEndpoint): Promise<void> {
  if (host !== null) return listen(server, { host, port })
  try {
    await listen(server, { host: '::', port })
  } catch (error) {
    // A machine without IPv6.
    if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(codeOf(error))) throw error
    await listen(server, { host: '0.0.0.0', port })
  }
}

/** Cannot listen; `code` is the system's. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: string
  constructor(protocol: string, endpoint: Endpoint, cause: unknown) {
    super(`cannot listen for ${protocol} on ${formatEndpoint(endpoint)}: ${explain(cause)}`, {
      cause,
    })
    this.code = codeOf(cause)
  }
}

function explain(cause: unknown): string {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return 'another program listens there; stop it or choose another port'
    case 'EACCES':
      return 'no permission; ports below 1024 need root or CAP_NET_BIND_SERVICE'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address'
    default:
      return cause instanceof Error ? cause.message : String(cause)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/**
 * Listens on a socket that is bound already.
 * @throws ListenError; the server is closed then
 */
export async function adopt(
  server: Server,
  descriptor: number,
  endpoint: Endpoint,
  protocol: string,
): Promise<void> {
  try {
    await listen(server, { fd: descriptor })
  } catch (error) {
    server.close()
    throw new ListenError(protocol, endpoint, error)
  }
}

function listen(
  server: Server,
  where: { path: string } | { host: string; port: number } | { fd: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Nobody but the owner can connect before the socket has the mode that it shall have. */
function listenPrivately(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177)
  try {
    return listen(server, { path })
  } finally {
    process.umask(before)
  }
}

/** A socket file that nobody listens on any more, left by a crash, is in the way. Anything else there is not ours to remove. */
export async function removeDeadSocket(path: string): Promise<void> {
  const stat = await lstat(path).catch(() => null)
  if (stat === null || !stat.isSocket() || (await answers(path))) return
  await unlink(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'))
  })
}
