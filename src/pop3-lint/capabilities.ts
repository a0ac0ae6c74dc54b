/** What a server says that it can do (RFC 2449 section 5). */
import type { Reply } from './client.js'

export class Capabilities {
  /** As they came. */
  readonly lines: readonly string[]
  readonly #byTag: ReadonlyMap<string, string>

  constructor(lines: readonly string[]) {
    this.lines = lines
    this.#byTag = new Map(lines.map((line) => [tagOf(line), line.slice(tagOf(line).length + 1)]))
  }

  /** @returns `null` when the server knows no CAPA */
  static of({ ok, body }: Reply): Capabilities | null {
    return ok && body !== null ? new Capabilities(linesOf(body)) : null
  }

  has(tag: string): boolean {
    return this.#byTag.has(tag)
  }

  /** The words behind a tag; `null` if it is not announced. */
  words(tag: string): readonly string[] | null {
    const found = this.#byTag.get(tag)
    return found === undefined ? null : found.split(' ').filter((word) => word !== '')
  }
}

/** The lines of a multi-line response. */
export function linesOf(body: Buffer): string[] {
  return body.toString('latin1').split(/\r?\n/).slice(0, -1)
}

function tagOf(line: string): string {
  return line.split(' ', 1)[0]!.toUpperCase()
}
