/** What a rehearsal tells: each thing that is said and each decision, in order. */
import type { Usage } from '../maildir/maildir.js'
import type { Step as AddressStep } from '../src/directory/names.js'
import type { Saying } from '../src/filter/rehearsal.js'
import type { Fields, Level } from '../src/log/log.js'
import type { Refusal } from '../src/mail/refusal.js'
import type { Quota } from '../src/mail/quota.js'

/** One reply of SMTP (RFC 5321 section 4.2). */
export interface Reply {
  readonly code: number
  /** Enhanced (RFC 3463); `null` where a reply has none. */
  readonly status: string | null
  /** What stands on its lines behind that. */
  readonly lines: readonly string[]
}

export type Step =
  | {
      readonly step: 'client'
      readonly ip: string
      /** Where such clients connect; none = they cannot. */
      readonly port: 'smtp' | 'submission'
      /** It speaks TLS. */
      readonly secure: boolean
      readonly endpoints: readonly string[]
    }
  /** Where the client's connections are counted; nowhere = there is no limit for it. */
  | { readonly step: 'connections'; readonly limits: readonly ConnectionLimit[] }
  /** How many messages or recipients may come from there. */
  | { readonly step: 'rate'; readonly what: string; readonly perMinute: number }
  | { readonly step: 'command'; readonly line: string }
  | ({ readonly step: 'reply' } & Reply)
  | {
      readonly step: 'account'
      readonly user: string
      readonly state: AccountState
      /** May send as anybody. */
      readonly anySender: boolean
    }
  | { readonly step: 'domain'; readonly domain: string; readonly ours: boolean }
  | { readonly step: 'address'; readonly found: AddressStep }
  | {
      readonly step: 'quota'
      readonly user: string
      readonly quota: Quota
      readonly usage: Usage
      readonly refusal: Refusal | null
    }
  /** Which way mail to another domain would leave; `route` is of `[relay]`. */
  | {
      readonly step: 'relay'
      readonly to: string
      readonly route: string
      readonly via: readonly string[]
    }
  | { readonly step: 'room'; readonly refusal: Refusal | null }
  | ({ readonly step: 'filter' } & Saying)
  /** What the server would log of it. */
  | {
      readonly step: 'log'
      readonly level: Level
      readonly event: string
      readonly fields: Fields
    }

export interface ConnectionLimit {
  readonly network: string
  /** 0 for no limit, as the next. */
  readonly atOnce: number
  readonly perMinute: number
}

export type AccountState = 'good' | 'unknown' | 'disabled' | 'without a password'

/** Is told each step, in order. */
export type Tell = (step: Step) => void
