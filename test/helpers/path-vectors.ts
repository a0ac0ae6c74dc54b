/** Names that try to leave the directory of a domain (E4, E5) or to be carried out (E11), as they go over the wire. */

/** As the path of RCPT; `local` stands for the server's own domain. */
export const ESCAPING_RECIPIENTS: readonly string[] = [
  '<../../etc/passwd@local>',
  '<..@local>',
  '<.@local>',
  '<"../x"@local>',
  '<"../../../../../../etc/passwd"@local>',
  '<"/etc/passwd"@local>',
  '</etc/passwd@local>',
  '<a/b@local>',
  '<"a\0b"@local>',
  '<"alice/../../../etc/passwd"@local>',
  '<"..\\/..\\/x"@local>',
  '<"."@local>',
  '<".."@local>',
  '<".users/alice"@local>',
  '<".aliases"@local>',
  '<u@../local>',
  '<u@..>',
  '<u@/etc/passwd>',
  '<%2e%2e%2f@local>',
  '<..\\..\\x@local>',
  '<..\\\\..\\\\x@local>',
  '<;id;@local>',
  '<`id`@local>',
  '<$(id)@local>',
  '<|cmd@local>',
  '</etc/x@local>',
  '<:include:/etc/shadow@local>',
]

/** As the name of USER. */
export const ESCAPING_USERS: readonly string[] = [
  ...ESCAPING_RECIPIENTS.map((path) => path.slice(1, -1)),
  '../../etc/passwd',
  '/etc/passwd',
  '..',
  '.',
  '.users',
  '%2e%2e%2fetc%2fpasswd',
  'alice/../../../etc/passwd',
  '../../etc/bash_completion.d',
  'alice\0.lock',
]
