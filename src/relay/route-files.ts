/** What the files of a route hold: a password or a token, authorities to trust. New content counts within seconds. */
import { X509Certificate } from 'node:crypto'
import { FileUnusable, readBounded } from './bounded-file.js'

/** Octets: tokens of some providers have a few thousand. */
const MAX_SECRET = 16_384
/** Octets: ten times the authorities that a system trusts. */
const MAX_AUTHORITIES = 4 * 1024 * 1024
/** Permission bits of everybody else. */
const WORLD = 0o007
/** Milliseconds; short enough for a token that was renewed because it had ended. */
const KEPT_MS = 2_000
/** A route has two at most. */
const MAX_KEPT = 2_000
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROL = /[\u0000-\u001f\u007f]/
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/

interface Kept {
  readonly text: Promise<string>
  readonly until: number
}

/** Reads a file once for the mails of a moment. */
export class RouteFiles {
  readonly #now: () => number
  readonly #kept = new Map<string, Kept>()

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now
  }

  /** @throws FileUnusable */
  secret(path: string): Promise<string> {
    return this.#once(`secret ${path}`, () => readSecret(path))
  }

  /** @returns PEM. @throws FileUnusable */
  authorities(path: string): Promise<string> {
    return this.#once(`authorities ${path}`, () => readAuthorities(path))
  }

  #once(key: string, read: () => Promise<string>): Promise<string> {
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.until > this.#now()) return kept.text
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear()
    const text = read()
    this.#kept.set(key, { text, until: this.#now() + KEPT_MS })
    return text
  }
}

/** One line that is nobody else's to read. @throws FileUnusable */
export async function readSecret(path: string): Promise<string> {
  const { text, mode } = await readBounded(path, MAX_SECRET)
  if ((mode & WORLD) !== 0)
    throw new FileUnusable(`${path}: everybody on this machine gets at it; run: chmod 600 ${path}`)
  const line = text.replace(/\r?\n$/, '')
  if (line === '') throw new FileUnusable(`${path}: empty; write the password into it`)
  if (CONTROL.test(line))
    throw new FileUnusable(`${path}: more than one line, or control characters; keep one line`)
  return line
}

/** @throws FileUnusable unless it begins with a certificate that can be read */
export async function readAuthorities(path: string): Promise<string> {
  const { text } = await readBounded(path, MAX_AUTHORITIES)
  const [first] = CERTIFICATE.exec(text) ?? []
  try {
    void new X509Certificate(first ?? '')
    return text
  } catch (error) {
    throw new FileUnusable(`${path}: no certificate in PEM`, { cause: error })
  }
}
