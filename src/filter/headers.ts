/**
 * Refuses a header section that no mail needs to have so large, and, where it
 * is asked for, mail that lacks what every mail must have (RFC 5322 section 3.6).
 */
import type { Envelope } from '../mail/envelope.js'
import { headerSize, readHeader } from '../mail/headers.js'
import type { Message } from '../mail/message.js'
import { fieldMissing, headerTooBig } from '../mail/refusal.js'
import { type Filter, PASS, type Verdict } from './filter.js'

export interface HeaderSettings {
  /** Octets with LF line ends that a header section may have. */
  readonly maxSize: number
  /** Names of fields without which mail is refused; looked for in as much as a header is read. */
  readonly require: readonly string[]
}

export class HeaderFilter implements Filter {
  readonly name = 'headers'
  readonly #settings: HeaderSettings

  constructor(settings: HeaderSettings) {
    this.#settings = settings
  }

  async message(_envelope: Envelope, message: Message): Promise<Verdict> {
    const { maxSize, require } = this.#settings
    // Most messages are smaller than a header may be.
    if (message.size > maxSize && (await headerSize(message.open(), maxSize)) === null) {
      throw headerTooBig(maxSize)
    }
    if (require.length === 0) return PASS
    const { fields } = await readHeader(message.open())
    const missing = require.find((name) => !fields.some((field) => field.is(name)))
    if (missing !== undefined) throw fieldMissing(missing)
    return PASS
  }
}
