/** Why a server did not start, with the exit code and what to do. */
import { CertificateError } from '../src/net/tls.js'
import { ListenError } from '../src/net/listener.js'
import { AlreadyRunning } from '../src/service/instance.js'
import { explain } from './explain.js'
import { Exit, Failure } from './exit.js'

const LISTEN_EXITS = new Map<string, number>([
  ['EADDRINUSE', Exit.unavailable],
  ['EACCES', Exit.noPermission],
  ['EPERM', Exit.noPermission],
])

/** Makes a failure of whatever `start()` threw. */
export function startFailure(error: unknown): Failure {
  if (error instanceof ListenError) {
    const code = LISTEN_EXITS.get(error.code) ?? Exit.badConfig
    return new Failure(code, `${error.message}${remedy(error.code)}`, { cause: error })
  }
  if (error instanceof AlreadyRunning)
    return new Failure(Exit.tryLater, error.message, { cause: error })
  if (error instanceof CertificateError)
    return new Failure(Exit.badConfig, error.message, { cause: error })
  return explain(error)
}

function remedy(code: string): string {
  if (code !== 'EACCES') return ''
  return (
    ': start it under systemd with AmbientCapabilities=CAP_NET_BIND_SERVICE, ' +
    `or once: sudo setcap cap_net_bind_service=+ep ${process.execPath}, or choose a port above 1023`
  )
}
