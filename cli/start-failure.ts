/** Why a server did not start, with the exit code and what to do. */
import { inside } from '../src/config/overlap.js'
import { ListenError } from '../src/net/bind.js'
import { AlreadyRunning } from '../src/service/instance.js'
import { explain } from './explain.js'
import { Exit, Failure } from './exit.js'

/** What the system says of a directory or file that is not ours to change. */
const UNWRITABLE = ['EACCES', 'EPERM', 'EROFS']

const LISTEN_EXITS = new Map<string, number>([
  ['EADDRINUSE', Exit.unavailable],
  ['EACCES', Exit.noPermission],
  ['EPERM', Exit.noPermission],
])

/**
 * Makes a failure of whatever `start()` threw.
 * @param state the state directory, which a server must be able to write to
 */
export function startFailure(error: unknown, state: string): Failure {
  if (error instanceof ListenError) {
    const code = LISTEN_EXITS.get(error.code) ?? Exit.badConfig
    return new Failure(code, `${error.message}${remedy(error.code)}`, { cause: error })
  }
  if (error instanceof AlreadyRunning)
    return new Failure(Exit.tryLater, error.message, { cause: error })
  const { code = '', path } = error as NodeJS.ErrnoException
  if (UNWRITABLE.includes(code) && path !== undefined && inside(path, state))
    return new Failure(Exit.noPermission, stateUnwritable(state), { cause: error })
  return explain(error)
}

function stateUnwritable(state: string): string {
  return `${state}: the state directory can not be written to; run this as its owner, or name another (state = "...")`
}

function remedy(code: string): string {
  if (code !== 'EACCES') return ''
  return (
    ': start it under systemd with AmbientCapabilities=CAP_NET_BIND_SERVICE, ' +
    `or once: sudo setcap cap_net_bind_service=+ep ${process.execPath}, or choose a port above 1023`
  )
}
