/** Turns an id into something that can be used: the avatar. */
import type { AvatarId } from './checker.js'
import type { Peer } from './credentials.js'

/** An avatar and the duty to give it back. */
export interface Login<Avatar> {
  readonly id: AvatarId
  readonly avatar: Avatar
  /** Gives the avatar back (locks, descriptors). Safe to call twice. */
  logout(): Promise<void>
  /** The client said something: whoever is silent for long may lose what can be had once only. Cheap. */
  touch?(): void
  /**
   * Calls back, once, when the avatar was taken away and given to a newer login: by itself
   * (if need be some seconds later), or out of `touch()`. Nothing may be done with it from then on but `logout()`.
   */
  onRevoked?(callback: () => void): void
}

/** Everything that can be had after a login, by aspect. `Avatars` maps an aspect's name to its type. */
export interface Realm<Avatars> {
  /**
   * @throws LoginRefused when this id has no such avatar
   * @throws LoginInUse when the avatar can be had once only, and is taken
   * @throws LoginUnavailable when it cannot be had now
   */
  requestAvatar<A extends keyof Avatars>(
    id: AvatarId,
    aspect: A,
    peer: Peer,
  ): Promise<Login<Avatars[A]>>
}
