/** Every status line that the server said in all rows, for the rows about status lines as such. */
import type { Line } from './connection.js'

/** Octets with the line end (RFC 1939 section 3). */
const MAX_STATUS = 512
/** Lines of each kind that are kept as proof. */
const MAX_KEPT = 3

export class StatusLines {
  #count = 0
  readonly #malformed: string[] = []
  readonly #bare: string[] = []
  readonly #long: string[] = []

  get count(): number {
    return this.#count
  }

  /** Neither `+OK` nor `-ERR`, upper case, alone or before a space; nor `+ ` of a SASL challenge. */
  get malformed(): readonly string[] {
    return this.#malformed
  }

  /** Ended in LF without CR. */
  get bare(): readonly string[] {
    return this.#bare
  }

  get long(): readonly string[] {
    return this.#long
  }

  add({ text, crlf }: Line): void {
    this.#count++
    if (!/^(\+OK|-ERR)( |$)|^\+ /.test(text)) keep(this.#malformed, text)
    if (!crlf) keep(this.#bare, text)
    if (text.length + 2 > MAX_STATUS) keep(this.#long, text)
  }
}

function keep(kept: string[], text: string): void {
  if (kept.length < MAX_KEPT) kept.push(text)
}
