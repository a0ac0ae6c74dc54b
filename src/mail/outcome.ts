/** What became of a message for one of its recipients. */
import type { Address } from './address.js'
import type { Refusal } from './refusal.js'

export interface Outcome {
  readonly to: Address
  /** `null` = delivered, or durably in the hands of who will deliver it. */
  readonly refusal: Refusal | null
}
