/**
 * The checker `anonymous`: whoever does not say who he is may come in, as nobody. The portal lets
 * him in without any checker, so it changes nothing; it is there for commands that name it.
 */
import { ANONYMOUS } from '../cred/checker.js'
import { Argument } from './argument.js'
import type { CheckerType } from './checker-type.js'

export const anonymousType: CheckerType = {
  help: 'nobody in particular: may bring mail for own users, and nothing else; always on',
  argument: null,
  example: 'anonymous',
  kinds: ['anonymous'],
  knowsUsers: false,
  make(text) {
    if (text !== null) throw new Argument('anonymous', null, []).bad('it takes no argument')
    return {
      kinds: ['anonymous'],
      requestAvatarId: async ({ kind }) => (kind === 'anonymous' ? ANONYMOUS : null),
    }
  },
}
