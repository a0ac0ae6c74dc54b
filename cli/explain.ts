/** Turns whatever was thrown into the lines and the exit code that a person gets. */
import { NotAMaildir } from '../maildir/maildir.js'
import { ConfigError } from '../src/config/config-error.js'
import { AliasesError } from '../src/directory/aliases.js'
import { FileRefused } from '../src/directory/small-file.js'
import { UserFileError } from '../src/directory/user-file.js'
import { KeyRefused } from '../src/dkim/key-files.js'
import { reason } from '../src/log/log.js'
import { CertificateError } from '../src/net/certificate.js'
import { FileUnusable } from '../src/relay/bounded-file.js'
import { Exit, Failure } from './exit.js'

/** Codes of the operating system that have an exit code of their own. */
const SYSTEM = new Map<string, number>([
  ['EACCES', Exit.noPermission],
  ['EPERM', Exit.noPermission],
  ['EROFS', Exit.cannotCreate],
  ['ENOSPC', Exit.cannotCreate],
  ['EDQUOT', Exit.cannotCreate],
  ['ENOTDIR', Exit.cannotCreate],
  ['EISDIR', Exit.cannotCreate],
  ['EEXIST', Exit.cannotCreate],
  ['ENOENT', Exit.cannotCreate],
  ['ELOOP', Exit.cannotCreate],
  ['ENXIO', Exit.cannotCreate],
  ['EMFILE', Exit.tryLater],
  ['ENFILE', Exit.tryLater],
])

/** Faults that say by themselves what is wrong and where. */
const CLEAR = [
  [CertificateError, Exit.badConfig],
  [FileRefused, Exit.cannotCreate],
  [FileUnusable, Exit.badConfig],
  [UserFileError, Exit.badData],
  [AliasesError, Exit.badData],
  [KeyRefused, Exit.badData],
] as const

const WORDS = new Map([
  ['EACCES', 'permission denied; run this as the owner of it'],
  ['EPERM', 'operation not permitted; run this as the owner of it'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space left on the device'],
  ['EDQUOT', 'disk quota exceeded'],
  ['ENOTDIR', 'something in this path is a file, not a directory'],
  ['EISDIR', 'this is a directory, not a file'],
  ['EEXIST', 'exists already'],
  ['ENOENT', 'no such file or directory'],
  ['ELOOP', 'a symbolic link where none may be; remove it'],
  ['ENXIO', 'a socket, not a file'],
  ['EMFILE', 'too many open files; raise the limit (ulimit -n) to 1024 or more'],
])

/** The failure itself, or what an error of another kind means to a person. */
export function explain(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof ConfigError) {
    const lines = error.problems.map(({ where, what }) => `${where}: ${what}`)
    return new Failure(Exit.badConfig, lines, { cause: error })
  }
  return (
    clear(error) ??
    system(error) ??
    new Failure(Exit.software, `internal error: ${oneLine(error)}`, { cause: error })
  )
}

function clear(error: unknown): Failure | null {
  if (error instanceof NotAMaildir) {
    const what = `${oneLine(error)}; no link and no file may stand in the place of a mailbox, remove it`
    return new Failure(Exit.cannotCreate, what, { cause: error })
  }
  const found = CLEAR.find(([kind]) => error instanceof kind)
  return found === undefined ? null : new Failure(found[1], oneLine(error), { cause: error })
}

/** For example `/etc/x: permission denied; …`. */
function system(error: unknown): Failure | null {
  const { code = '', path } = (error ?? {}) as NodeJS.ErrnoException
  const exit = SYSTEM.get(code)
  if (!(error instanceof Error) || exit === undefined) return null
  const what = path === undefined ? oneLine(error) : `${path}: ${WORDS.get(code) ?? code}`
  return new Failure(exit, what, { cause: error })
}

function oneLine(error: unknown): string {
  return reason(error).replace(/\s+/g, ' ')
}
