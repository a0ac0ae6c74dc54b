/** Signs with the keys that lie beside the mail of the author's domain, and decides who may have that. */
import type { Log } from '../log/log.js'
import type { Envelope } from '../mail/envelope.js'
import { type Header, type HeaderField, readHeader } from '../mail/headers.js'
import { type Message, prepend } from '../mail/message.js'
import { authorDomain } from './author.js'
import type { Dkim } from './dkim.js'
import { Keyring } from './keyring.js'
import { relaxedBodyHash } from './relaxed.js'
import { signatureField, type SigningKey } from './signature.js'
import { type SignedFields, signedFields } from './signed-fields.js'

export interface DomainSignerParts {
  /** Where the keys of a domain lie, all names of it the same; `null` = not ours. A reload changes it. */
  readonly folderOf: (domain: string) => string | null
  /** The name of this server: what it writes itself is from there. */
  readonly hostname: string
  readonly log: Log
  /** Milliseconds since 1970; the system's clock unless a test brings its own. */
  readonly now?: () => number
}

interface Keys {
  /** Whom the signature is of. */
  readonly domain: string
  readonly folder: string
}

export class DomainSigner implements Dkim {
  readonly #parts: DomainSignerParts
  readonly #now: () => number
  readonly #keyring: Keyring

  constructor(parts: DomainSignerParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
    this.#keyring = new Keyring(this.#now)
  }

  async signed(envelope: Envelope, message: Message): Promise<Message> {
    if (!isOurs(envelope)) return message
    return this.#sign(message, ({ folder }) => this.#mayHave(envelope, folder))
  }

  signedReport(message: Message): Promise<Message> {
    return this.#sign(message, () => true)
  }

  async ready(envelope: Envelope, message: Message): Promise<void> {
    if (!isOurs(envelope)) return
    const keys = this.#keysOf((await readHeader(message.open())).fields)
    if (keys !== null && this.#mayHave(envelope, keys.folder))
      await this.#keyring.signing(keys.folder)
  }

  async #sign(message: Message, may: (keys: Keys) => boolean): Promise<Message> {
    const header = await readHeader(message.open())
    const keys = this.#keysOf(header.fields)
    if (keys === null || !may(keys)) return message
    const all = await this.#keyring.signing(keys.folder)
    if (all.length === 0) return message
    const fields = header.cut === null ? signedFields(header.fields) : null
    if (fields !== null) return this.#withSignatures(message, header, fields, { ...keys, all })
    this.#parts.log.warn('dkim header too large', { domain: keys.domain })
    return message
  }

  async #withSignatures(
    message: Message,
    { size }: Header,
    fields: SignedFields,
    { domain, all }: Keys & { readonly all: readonly SigningKey[] },
  ): Promise<Message> {
    const bodyHash = await relaxedBodyHash(message.open(), size)
    const signable = { domain, fields, bodyHash, time: Math.floor(this.#now() / 1000) }
    const lines = await Promise.all(all.map((key) => signatureField(signable, key)))
    return prepend(Buffer.from(lines.join('')), message)
  }

  /** The author's domain; for this server itself the nearest one above, which DMARC takes as well. */
  #keysOf(fields: readonly HeaderField[]): Keys | null {
    const { hostname, folderOf } = this.#parts
    const author = authorDomain(fields)
    if (author === null) return null
    const names = author === hostname.toLowerCase() ? withParents(author) : [author]
    for (const domain of names) {
      const folder = folderOf(domain)
      if (folder !== null) return { domain, folder }
    }
    return null
  }

  /**
   * A user speaks for his own domain, and for that of the envelope, which was checked to be his:
   * nobody gets a signature of other people's domain by writing it into the header.
   */
  #mayHave({ from, client, unanswered }: Envelope, folder: string): boolean {
    if (unanswered === true) return true
    const user = client.user?.slice(client.user.lastIndexOf('@') + 1)
    return [from?.domain, user].some(
      (domain) => domain !== undefined && this.#parts.folderOf(domain) === folder,
    )
  }
}

/** Somebody logged in, or works on this machine: that is where the maildrop is. */
function isOurs({ client, unanswered }: Envelope): boolean {
  return client.user !== null || unanswered === true
}

/** `mail.example.com` → itself, `example.com`, `com`. */
function withParents(name: string): string[] {
  const labels = name.split('.')
  return labels.map((_, at) => labels.slice(at).join('.'))
}
