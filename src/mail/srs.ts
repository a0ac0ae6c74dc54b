/**
 * SRS, the Sender Rewriting Scheme: the reverse-path of mail that is forwarded becomes an address
 * of the forwarder, so that SPF (RFC 7208) holds, and a report that comes back to it finds its way
 * to the sender. The address itself holds all that is needed; a keyed hash keeps strangers from
 * sending mail to anybody through it.
 *
 *     SRS0=hash=day=domain=local@forwarder           of an address that is none of SRS
 *     SRS1=hash=first==hash=day=domain=local@second  of one that a first forwarder made so
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Address, formatAddress, parseAddress, parseDomain } from './address.js'

/** Why an address gives no sender back. */
export type SrsFault = 'not SRS' | 'forged' | 'expired'

/** The address was not made here, or too long ago. */
export class SrsError extends Error {
  override readonly name = 'SrsError'
  readonly fault: SrsFault
  constructor(fault: SrsFault) {
    super(`SRS address is ${fault === 'not SRS' ? 'none' : fault}`)
    this.fault = fault
  }
}

/** RFC 4648 section 6: letters that lose nothing when somebody on the way makes all of them small. */
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** 30 bits: a guess costs a command to the server, and what it wins ends after some days. */
const HASH_CHARACTERS = 6
const DAY_MS = 86_400_000
/** Days are counted round and round in ten bits. */
const DAYS = 1_024
/** Servers give up after five days or so; reports of reading may take longer. */
const VALID_DAYS = 21
/** One machine that made it may be in tomorrow when another one is not yet. */
const AHEAD_DAYS = 1

const BEGINNING = /^SRS[01][=+-]/i
// No `u` beside `i`: it would take the sign of Kelvin for a K.
const SRS0 = /^SRS0[=+-]([A-Z2-7]{6})=([A-Z2-7]{2})=([^=]+)=(.+)$/is
const SRS1 = /^SRS1[=+-]([A-Z2-7]{6})=([^=]+)=([=+-].+)$/is
/** Whoever made it: only its maker knows what the rest means. */
const FOREIGN_SRS0 = /^SRS0([=+-].+)$/is
const FOREIGN_SRS1 = /^SRS1[=+-][^=]+=([^=]+)=([=+-].+)$/is

/** True if the address claims to be one that `rewrite` made: `reverse` tells whether it is. */
export function isSrs({ local }: Address): boolean {
  return BEGINNING.test(local)
}

/**
 * The reverse-path for mail from `from` that is forwarded.
 * @param viaDomain a domain of ours, in its canonical form: reports come back to it
 * @param secret any bytes that only we know
 * @param now milliseconds since 1970
 * @returns `null` if it does not fit into a local part (RFC 5321 section 4.5.3.1.1: 64 octets):
 *   then only an address of the forwarder's own can stand for the sender
 */
export function rewrite(
  from: Address,
  viaDomain: string,
  secret: Buffer,
  now: number,
): Address | null {
  // It is one of ours already, made here or not.
  if (from.domain === viaDomain) return from
  const to = { local: again(from, secret) ?? first(from, secret, dayOf(now)), domain: viaDomain }
  return survives(to) ? to : null
}

/**
 * The address that `rewrite` was given. Letters may have become small or large meanwhile.
 * @param secret that of `rewrite`
 * @param now milliseconds since 1970
 * @throws SrsError
 */
export function reverse({ local }: Address, secret: Buffer, now: number): Address {
  const original = reverseSrs0(local, secret, now) ?? reverseSrs1(local, secret)
  if (original === null) throw new SrsError('not SRS')
  // What carries our hash is what we made of an address; the domain's letters are small in each.
  return { local: original.local, domain: original.domain.toLowerCase() }
}

function reverseSrs0(text: string, secret: Buffer, now: number): Address | null {
  const [, hash, day, domain, local] = SRS0.exec(text) ?? []
  if (hash === undefined || day === undefined) return null
  if (domain === undefined || local === undefined) return null
  check(hash, secret, ['SRS0', day, domain, local])
  if (!isRecent(day, now)) throw new SrsError('expired')
  return { local, domain }
}

/** Its day is the first forwarder's business. */
function reverseSrs1(text: string, secret: Buffer): Address | null {
  const [, hash, domain, rest] = SRS1.exec(text) ?? []
  if (hash === undefined || domain === undefined || rest === undefined) return null
  check(hash, secret, ['SRS1', domain, rest])
  return { local: `SRS0${rest}`, domain }
}

function first({ local, domain }: Address, secret: Buffer, day: number): string {
  const stamp = `${BASE32[day >> 5]}${BASE32[day & 31]}`
  const hash = hashOf(secret, ['SRS0', stamp, domain, local])
  return `SRS0=${hash}=${stamp}=${domain}=${local}`
}

/** However often it is forwarded: reports go to the first forwarder at once. `null` = it is no SRS. */
function again({ local, domain }: Address, secret: Buffer): string | null {
  const [, rest] = FOREIGN_SRS0.exec(local) ?? []
  const [, maker = domain, more = rest] = FOREIGN_SRS1.exec(local) ?? []
  if (more === undefined || parseDomain(maker) === null) return null
  return `SRS1=${hashOf(secret, ['SRS1', maker, more])}=${maker}=${more}`
}

/** False if it is too long, or its parts grow together: an `=` and an accent are one character. */
function survives(address: Address): boolean {
  const back = parseAddress(formatAddress(address))
  return back?.local === address.local && back.domain === address.domain
}

/** @throws SrsError when it is not ours */
function check(hash: string, secret: Buffer, parts: readonly string[]): void {
  const [given, right] = [hash.toUpperCase(), hashOf(secret, parts)].map((text) =>
    Buffer.from(text),
  )
  if (!timingSafeEqual(given!, right!)) throw new SrsError('forged')
}

function hashOf(secret: Buffer, parts: readonly string[]): string {
  const digest = createHmac('sha256', secret)
    .update(folded(JSON.stringify(parts)))
    .digest()
  const characters = [...digest.subarray(0, HASH_CHARACTERS)].map((byte) => BASE32[byte & 31])
  return characters.join('')
}

/** The same for all spellings: some letters have a large form only, or a small one, or two. */
function folded(text: string): string {
  return text.toLowerCase().toUpperCase().normalize('NFC')
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS) % DAYS
}

function isRecent(stamp: string, now: number): boolean {
  const [high, low] = [0, 1].map((at) => BASE32.indexOf(stamp.toUpperCase().charAt(at)))
  const age = (dayOf(now) - (high! * 32 + low!) + DAYS) % DAYS
  return age <= VALID_DAYS || age >= DAYS - AHEAD_DAYS
}
