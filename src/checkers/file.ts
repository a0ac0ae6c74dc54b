/** The checker `file`: htpasswd, Dovecot's passwd-file, or plain `user:password` lines. */
import { Argument } from './argument.js'
import type { CheckerType } from './checker-type.js'
import { parsePasswdLine } from './passwd-lines.js'
import { domainFor, PasswdTable } from './passwd-table.js'
import { StoredAccountsChecker } from './stored-accounts.js'

export const fileType: CheckerType = {
  help: "a file of user:password lines: htpasswd, Dovecot's passwd-file, Twisted's file",
  argument: 'PATH[;domain=DOMAIN][;format=auto|plain]',
  example: 'file:/etc/mailtap/passwd',
  kinds: ['password', 'secret', 'scram'],
  knowsUsers: true,
  make(text, parts) {
    const argument = new Argument('file', text, ['domain', 'format'])
    const format = argument.word('format', ['auto', 'plain'])
    const table = new PasswdTable({
      path: argument.path('the file'),
      parse: (line) => parsePasswdLine(line, format),
      domain: domainFor(argument, parts.directory),
    })
    return new StoredAccountsChecker(table, parts)
  },
}
