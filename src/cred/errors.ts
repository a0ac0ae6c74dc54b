/** Why a login failed: refused, unavailable or taken are three different things. */

/** Any login that did not succeed. */
export abstract class LoginFailed extends Error {}

/** Wrong name or wrong password; which of them is never told. */
export class LoginRefused extends LoginFailed {
  override readonly name = 'LoginRefused'
  /** @param options a cause is for the log only */
  constructor(options?: ErrorOptions) {
    super('authentication failed', options)
  }
}

/** Nobody could tell just now. A client that hears "wrong password" forgets the saved one, so this is another answer. */
export class LoginUnavailable extends LoginFailed {
  override readonly name = 'LoginUnavailable'
}

/** The avatar is held by another session (RFC 2449 IN-USE). */
export class LoginInUse extends LoginFailed {
  override readonly name = 'LoginInUse'
}

/** The avatar may be had only so often, and was had just now (RFC 2449 LOGIN-DELAY). */
export class LoginTooSoon extends LoginFailed {
  override readonly name = 'LoginTooSoon'
}

/** Too many logins failed of late; whether this one would have is not known, and nobody looked. */
export class LoginThrottled extends LoginFailed {
  override readonly name = 'LoginThrottled'
}
