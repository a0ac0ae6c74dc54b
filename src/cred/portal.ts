/**
 * The one door into the server. Protocols bring credentials and name the
 * avatar they speak for; checkers say who it is, the realm says what they get.
 */
import { ANONYMOUS, type AvatarId, type Checker, type ScramAnswer } from './checker.js'
import type { Credentials, Kind, NamedCredentials } from './credentials.js'
import { LoginRefused, LoginUnavailable } from './errors.js'
import type { Login, Realm } from './realm.js'
import type { ScramChallenge } from './scram.js'
import type { Attempt, Throttle } from './throttle.js'

/** Of a portal without a throttle. */
const ALWAYS: Attempt = { ended: async () => {} }

export class Portal<Avatars> {
  readonly #realm: Realm<Avatars>
  readonly #checkers: readonly Checker[]
  readonly #throttle: Throttle | null

  /**
   * @param checkers asked in this order
   * @param throttle asked before they are; without it everybody may try as often as they like
   */
  constructor(
    realm: Realm<Avatars>,
    checkers: readonly Checker[],
    throttle: Throttle | null = null,
  ) {
    this.#realm = realm
    this.#checkers = checkers
    this.#throttle = throttle
  }

  /** True if some checker can judge this kind: a protocol offers nothing that nobody could check. */
  accepts(kind: Kind): boolean {
    return kind === 'anonymous' || this.#checkers.some((checker) => checker.kinds.includes(kind))
  }

  /**
   * Logs in. The caller owes the login one `logout()`.
   * @throws LoginFailed
   */
  async login<A extends keyof Avatars>(
    credentials: Credentials,
    aspect: A,
  ): Promise<Login<Avatars[A]>> {
    const id = credentials.kind === 'anonymous' ? ANONYMOUS : await this.#try(credentials)
    return this.#realm.requestAvatar(id, aspect, credentials.peer)
  }

  /**
   * What somebody of that name must know before a proof (RFC 5802 section 5.1). That there is
   * an answer says nothing: whether the name and the proof are good, only `login` tells.
   * @throws LoginUnavailable when a checker cannot tell
   * @throws LoginRefused when no checker knows such proofs
   */
  async scramChallenge(username: string): Promise<ScramChallenge> {
    const answers: ScramAnswer[] = []
    const failures: unknown[] = []
    for (const checker of this.#checkers) {
      try {
        const answer = await checker.scramChallenge?.(username)
        if (answer?.known === true) return answer
        if (answer !== undefined) answers.push(answer)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new LoginUnavailable('checker failed', { cause: failures })
    if (answers[0] === undefined) throw new LoginRefused()
    return answers[0]
  }

  /** A checker may be costly: it works for nobody who has guessed too often. */
  async #try(credentials: NamedCredentials): Promise<AvatarId> {
    const attempt = (await this.#throttle?.admit(credentials)) ?? ALWAYS
    try {
      const id = await this.#identify(credentials)
      await attempt.ended('accepted')
      return id
    } catch (error) {
      await attempt.ended(error instanceof LoginRefused ? 'refused' : 'unknown')
      throw error
    }
  }

  /** Asks each checker in turn: "no" from one is not yet "no" from all. */
  async #identify(credentials: Credentials): Promise<AvatarId> {
    const failures: unknown[] = []
    for (const checker of this.#checkers) {
      if (!checker.kinds.includes(credentials.kind)) continue
      try {
        const id = await checker.requestAvatarId(credentials)
        if (id !== null && id !== ANONYMOUS) return id
      } catch (error) {
        failures.push(error)
      }
    }
    // A database that is down must not look like a wrong password: mail
    // programs forget the saved password when they are told it is wrong.
    if (failures.length > 0) throw new LoginUnavailable('checker failed', { cause: failures })
    throw new LoginRefused()
  }
}
