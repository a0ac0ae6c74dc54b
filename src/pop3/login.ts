/** The login of POP3: credentials to the portal, what comes of it to the log and to the client (RFC 2449 section 8, RFC 3206). */
import type { NamedCredentials } from '../cred/credentials.js'
import {
  LoginFailed,
  LoginInUse,
  LoginRefused,
  LoginThrottled,
  LoginTooSoon,
} from '../cred/errors.js'
import type { Login } from '../cred/realm.js'
import { reason } from '../log/log.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Context } from './context.js'
import { err, later, ok, systemCode } from './reply.js'
import type { Reply } from './state.js'
import type { Texts } from './texts.js'
import { Transaction } from './transaction.js'

export type Admission =
  | { readonly login: Login<Mailbox>; readonly refusal: null }
  | { readonly login: null; readonly refusal: Reply }

/** A login in one step: USER and PASS, APOP. */
export async function logIn(context: Context, credentials: NamedCredentials): Promise<Reply> {
  const { login, refusal } = await admit(context, credentials)
  return login === null ? refusal : enter(context, login, credentials.kind)
}

/** The first half: whoever gets a login here owes it a logout, or {@link enter}. */
export async function admit(context: Context, credentials: NamedCredentials): Promise<Admission> {
  const { portal, metrics } = context.options
  const begun = performance.now()
  try {
    return { login: await portal.login(credentials, 'mailbox'), refusal: null }
  } catch (error) {
    const { username, kind } = credentials
    return { login: null, refusal: refused(context, { username, kind }, error) }
  } finally {
    metrics?.loginSeconds.observe((performance.now() - begun) / 1_000)
  }
}

/** The second half: the client may work with its mail. */
export function enter(context: Context, login: Login<Mailbox>, kind: string): Reply {
  context.options.log.info('pop3 login', { user: login.id, ...context.client(kind) })
  const state = new Transaction(login, context)
  return ok(state.summary, { next: state })
}

/** Logs why there is no login, and says what the client may know of it. */
export function refused(
  context: Context,
  who: { readonly username?: string; readonly kind: string },
  error: unknown,
): Reply {
  const why = error instanceof LoginFailed ? error.name : 'fault'
  const fields = { user: who.username, ...context.client(who.kind), why, reason: reason(error) }
  context.options.log.warn('pop3 login failed', fields)
  return answer(error, context.texts)
}

/** Yes, no, and cannot tell are three answers: a client that hears [AUTH] forgets its password. */
function answer(error: unknown, texts: Texts): Reply {
  if (error instanceof LoginRefused) return err(texts.wrongLogin, { code: 'AUTH', blame: 'login' })
  if (error instanceof LoginInUse) return later(texts.inUse, 'IN-USE')
  if (error instanceof LoginTooSoon) return later(texts.tooSoon, 'LOGIN-DELAY')
  // Whoever does not wait is sent away: it costs a line each time.
  if (error instanceof LoginThrottled) return { ...later(texts.throttled), blame: 'login' }
  return later(texts.cannotCheck, systemCode(error))
}
