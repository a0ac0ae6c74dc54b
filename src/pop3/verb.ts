/** A verb that takes no argument (RFC 1939 section 3). */
import type { Context } from './context.js'
import { err } from './reply.js'
import type { Reply, Verb } from './state.js'

/** @param act what the verb does; an argument is refused before it */
export function bare(context: Context, act: () => Reply | Promise<Reply>): Verb {
  return (argument) => (argument.length > 0 ? err(context.texts.noArgument) : act())
}
