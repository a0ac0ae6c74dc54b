/**
 * A socket that is bound and accepts nobody here: other processes inherit it and share its queue of
 * clients. As long as it is held, clients wait where no process accepts them.
 */
import { chmod } from 'node:fs/promises'
import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { ListenError, removeDeadSocket } from './bind.js'
import { type Endpoint, formatEndpoint, formatHostPort, type TcpEndpoint } from './endpoint.js'

/** What Node keeps of a socket. A server that listens would take clients, so its public face is of no use. */
interface Handle {
  readonly fd: number
  getsockname(into: { port?: number; address?: string }): number
  close(): void
}

type Bind = (address: string | null, port: number, family: number) => Handle | number

/** Where Node itself binds what several processes share. */
const { _createServerHandle: bindHandle } = net as unknown as { _createServerHandle?: Bind }

const NO_FAMILY = -1
const NO_IP6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL']

export class HeldPort {
  readonly #endpoint: Endpoint
  readonly #handle: Handle
  /** `null` for a UNIX socket. */
  readonly port: number | null
  readonly #host: string

  /**
   * Binds; nobody is served before another process listens on the descriptor.
   * @param protocol for the error
   * @throws ListenError with the system's code
   */
  static async bind(endpoint: Endpoint, protocol: string): Promise<HeldPort> {
    try {
      const handle = endpoint.kind === 'unix' ? await unix(endpoint) : tcp(endpoint)
      return new HeldPort(endpoint, handle)
    } catch (error) {
      throw new ListenError(protocol, endpoint, error)
    }
  }

  private constructor(endpoint: Endpoint, handle: Handle) {
    this.#endpoint = endpoint
    this.#handle = handle
    const { host, port } = nameOf(endpoint, handle)
    this.#host = host
    this.port = port
  }

  /** Where clients reach it, with the port that the system chose for port 0. */
  get address(): string {
    if (this.port === null) return formatEndpoint(this.#endpoint)
    const all = this.#endpoint.kind === 'tcp' && this.#endpoint.host === null
    return all ? `*:${this.port}` : formatHostPort(this.#host, this.port)
  }

  get descriptor(): number {
    return this.#handle.fd
  }

  /** Safe to call once. The socket lives on where others have it. */
  close(): void {
    this.#handle.close()
  }
}

/** @throws the system's error */
function bound(address: string | null, port: number, family: number): Handle {
  if (bindHandle === undefined) {
    throw new Error('this version of Node cannot share ports; set workers = 0')
  }
  const handle = bindHandle(address, port, family)
  if (typeof handle === 'number') throw systemError(handle)
  return handle
}

function tcp({ host, port }: TcpEndpoint): Handle {
  if (host !== null) return checked(bound(host, port, host.includes(':') ? 6 : 4))
  try {
    return checked(bound('::', port, 6))
  } catch (error) {
    // A machine without IPv6.
    if (!NO_IP6.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    return checked(bound('0.0.0.0', port, 4))
  }
}

/** Nobody but the owner can connect before the socket has the mode that it shall have. */
async function unix({ path, mode }: Extract<Endpoint, { kind: 'unix' }>): Promise<Handle> {
  await removeDeadSocket(path)
  const before = process.umask(0o177)
  let handle: Handle
  try {
    handle = bound(path, NO_FAMILY, NO_FAMILY)
  } finally {
    process.umask(before)
  }
  await chmod(path, mode)
  return handle
}

/** That a port is taken is told only to whoever asks for the name of the socket. */
function checked(handle: Handle): Handle {
  const fault = handle.getsockname({})
  if (fault === 0) return handle
  handle.close()
  throw systemError(fault)
}

function nameOf(endpoint: Endpoint, handle: Handle): { host: string; port: number | null } {
  if (endpoint.kind === 'unix') return { host: '', port: null }
  const name: { port?: number; address?: string } = {}
  handle.getsockname(name)
  return { host: name.address ?? '', port: name.port ?? endpoint.port }
}

function systemError(number: number): Error {
  const code = getSystemErrorName(number)
  return Object.assign(new Error(code), { code })
}
