/** What the directory of files is told: its domains, and how addresses are read there. */
import type { Log } from '../log/log.js'
import type { Address } from '../mail/address.js'
import type { LmtpPlace } from '../mail/lmtp-place.js'
import type { Quota } from '../mail/quota.js'

export interface FilesDomain {
  /** The domain's directory. */
  readonly path: string
  /** aliases(5) file; it may be missing. */
  readonly aliases: string
  readonly bounceToPostmaster: boolean
  /** Who gets mail for unknown local parts; before `bounceToPostmaster`. */
  readonly catchAll?: Address | null
  /** Of users whose file names none. */
  readonly quota?: Quota | null
  /** The LMTP server of users whose file names none. */
  readonly deliver?: LmtpPlace | null
}

export interface FilesSettings {
  /** By domain in canonical form. */
  readonly domains: Readonly<Record<string, FilesDomain>>
  /** Alias domains, and which of the domains each stands for. */
  readonly aliasDomains?: Readonly<Record<string, string>>
  /** One of the domains, or `null`. */
  readonly defaultDomain: string | null
  /** Between a user's name and a tag: one character, `+` unless said; empty for no tags. */
  readonly tagSeparator?: string
  /** True: outdated hashes of passwords are replaced after a login. */
  readonly rehash?: boolean
}

export interface FilesOptions extends FilesSettings {
  readonly log: Log
  /** Milliseconds of a clock that never goes back; the system's unless a test brings its own. */
  readonly now?: () => number
}
