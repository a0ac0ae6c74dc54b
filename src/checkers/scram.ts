/**
 * What SCRAM needs of an account (RFC 5802): the salt before the proof, the
 * keys to judge it. Names without an account get a salt, too, always the same
 * one, so that asking tells nobody which accounts there are.
 */
import { createHash, createHmac } from 'node:crypto'
import type { ScramAnswer } from '../cred/checker.js'
import {
  deriveScram,
  ITERATIONS,
  parseScram,
  SALT_OCTETS,
  type ScramChallenge,
  type ScramKeys,
} from '../cred/scram.js'
import { UnusableHash } from './passwords.js'
import type { Slots } from './slots.js'

/** Accounts with a clear secret whose keys are remembered, each about 300 bytes. */
const MAX_REMEMBERED = 1_000
const NO_KEYS: ScramKeys = { storedKey: Buffer.alloc(32), serverKey: Buffer.alloc(32) }

/** What an account stores: its password in clear, or a record; nothing, or nobody has it. */
export interface ScramAccount {
  readonly secret: string | null
  readonly record: string | null
}

const NOBODY: ScramAccount = { secret: null, record: null }

interface Remembered {
  /** Of the secret: another one has other keys. */
  readonly digest: string
  readonly keys: Promise<ScramKeys>
}

export class ScramBook {
  readonly #secret: Buffer
  readonly #slots: Slots
  /** By name, the one remembered longest first. */
  readonly #remembered = new Map<string, Remembered>()

  /** @param secret of the server: who knows it can tell a made-up salt from a real one */
  constructor(secret: Buffer, slots: Slots) {
    this.#secret = secret
    this.#slots = slots
  }

  /**
   * @param name in its one form, the same for all ways to write it
   * @param account `null` if nobody has that name
   * @throws UnusableHash when the record is broken
   */
  challenge(name: string, account: ScramAccount | null): ScramAnswer {
    const { secret, record } = account ?? NOBODY
    if (secret !== null || record === null) return { ...this.#madeUp(name), known: secret !== null }
    const { salt, iterations } = parsed(record)
    return { salt, iterations, known: true }
  }

  /**
   * The keys behind {@link challenge}; keys that fit no proof where there are none.
   * @throws UnusableHash when the record is broken
   * @throws LoginUnavailable when too many keys are being made
   */
  async keys(name: string, account: ScramAccount | null): Promise<ScramKeys> {
    const { secret, record } = account ?? NOBODY
    if (secret !== null) return this.#keysOf(name, secret)
    return record === null ? NO_KEYS : parsed(record)
  }

  /** Looks like that of a new record. */
  #madeUp(name: string): ScramChallenge {
    const digest = createHmac('sha256', this.#secret).update(name).digest()
    return { salt: digest.subarray(0, SALT_OCTETS), iterations: ITERATIONS }
  }

  /** Making keys takes as long as the client took: once for each secret is enough. */
  #keysOf(name: string, secret: string): Promise<ScramKeys> {
    const digest = createHash('sha256').update(secret).digest('base64')
    const known = this.#remembered.get(name)
    if (known?.digest === digest) return known.keys
    const keys = this.#slots.run(() => deriveScram(secret, this.#madeUp(name)))
    keys.catch(() => this.#remembered.delete(name))
    this.#remember(name, { digest, keys })
    return keys
  }

  #remember(name: string, made: Remembered): void {
    this.#remembered.delete(name)
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size >= MAX_REMEMBERED && oldest !== undefined) {
      this.#remembered.delete(oldest)
    }
    this.#remembered.set(name, made)
  }
}

/** A fault of the user file, not a wrong password. */
function parsed(record: string): ScramChallenge & ScramKeys {
  const keys = parseScram(record)
  if (keys === null) {
    throw new UnusableHash('the stored keys of SCRAM are broken; run: mailtap user passwd')
  }
  return keys
}
