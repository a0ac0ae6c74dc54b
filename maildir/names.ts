/**
 * File names of messages: `unique,S=octets,W=octets:2,flags`. The *base* is
 * what stands before the colon and stays when flags change; the *unique part*
 * is what stands before the first comma or colon.
 */
import { randomFillSync } from 'node:crypto'

/** Longest host in a name: with all that follows it, a name must stay below 255 octets. */
const MAX_HOST = 100
/** At most 15 digits: all of them are exact as a JavaScript number. */
const WIRE_SIZE = /,W=(0|[1-9][0-9]{0,14})(?=,|$)/
const FILE_SIZE = /,S=(0|[1-9][0-9]{0,14})(?=,|$)/
/** Longest file name that every common file system takes. */
export const MAX_NAME = 255
/** When a message went into the trash, in milliseconds since 1970. */
const DELETED_AT = /,deleted=([1-9][0-9]{0,14})(?=,|$)/
const SECONDS = /^([0-9]{1,15})\./
const OURS = /^[0-9]{1,15}\.M([0-9]{1,6})P[0-9]{1,10}Q([0-9]{1,15})R[0-9a-f]{8}\./
const MICROSECONDS = 1_000_000

/** Gives names that no other delivery uses, in this process or in any other on any host. */
export class UniqueNames {
  readonly #host: string
  #last = 0
  #count = 0
  readonly #pool = Buffer.alloc(4096)
  #used = this.#pool.length

  /** @param host this machine's name; what has a meaning in a file name is escaped */
  constructor(host: string) {
    this.#host = escapeHost(host)
  }

  /** `secs.M<usec>P<pid>Q<counter>R<8 hex digits>.<host>` */
  next(): string {
    // A clock that was set back must not put a later message before an earlier one.
    this.#last = Math.max(this.#last + 1, Date.now() * 1000)
    const seconds = Math.floor(this.#last / MICROSECONDS)
    const random = this.#random()
    const count = this.#count++
    return `${seconds}.M${this.#last % MICROSECONDS}P${process.pid}Q${count}R${random}.${this.#host}`
  }

  /** Eight hex digits. Random bytes are made many at a time: a call costs more than a delivery's other work. */
  #random(): string {
    if (this.#used === this.#pool.length) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    this.#used += 4
    return this.#pool.toString('hex', this.#used - 4, this.#used)
  }
}

/** The name in `new/`: both sizes stand in it, so that nobody ever has to read the file for them. */
export function finalName(unique: string, size: number, lines: number): string {
  return `${unique},S=${size},W=${size + lines}`
}

/** A name of any program with the sizes in it that its file has; the rest, flags included, stays as it is. */
export function sizedName(name: string, octets: number, wireOctets: number): string {
  const base = baseOf(name)
  const parts = base.split(',').filter((part) => !/^[SW]=/.test(part))
  return `${parts.join(',')},S=${octets},W=${wireOctets}${name.slice(base.length)}`
}

/** What stays of a name when flags change. */
export function baseOf(name: string): string {
  const colon = name.indexOf(':')
  return colon === -1 ? name : name.slice(0, colon)
}

/** What identifies the message, without sizes and flags. */
export function uniquePart(base: string): string {
  const comma = base.indexOf(',')
  return comma === -1 ? base : base.slice(0, comma)
}

/** Octets on the wire, as a base says it; `null` if it does not. */
export function wireSizeIn(base: string): number | null {
  const digits = WIRE_SIZE.exec(base)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** Octets in the file, as a base says it; `null` if it does not. */
export function fileSizeIn(base: string): number | null {
  const digits = FILE_SIZE.exec(base)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** A name that tells when its message was deleted; as it is if it would become too long. */
export function datedName(name: string, deletedMs: number): string {
  const base = baseOf(name)
  const dated = `${base},deleted=${deletedMs}${name.slice(base.length)}`
  return dated.length <= MAX_NAME ? dated : name
}

/** The name as it was before it told that. */
export function undatedName(name: string): string {
  const base = baseOf(name)
  return `${base.replace(DELETED_AT, '')}${name.slice(base.length)}`
}

/** When a message was deleted, in milliseconds since 1970, as a base says it; `null` if it does not. */
export function deletionIn(base: string): number | null {
  const digits = DELETED_AT.exec(base)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** When a message came, as far as its name tells. */
export interface Arrival {
  /** Names that tell no time come last. */
  readonly seconds: number
  readonly microseconds: number
  readonly count: number
}

/** Reads the arrival from a base. Only our own names tell more than the second. */
export function arrivalOf(base: string): Arrival {
  const seconds = SECONDS.exec(base)?.[1]
  if (seconds === undefined) return { seconds: Infinity, microseconds: 0, count: 0 }
  const ours = OURS.exec(base)
  return {
    seconds: Number(seconds),
    microseconds: Number(ours?.[1] ?? 0),
    count: Number(ours?.[2] ?? 0),
  }
}

/** Whether a base begins with the time at which its message came. */
export const tellsTime = (base: string): boolean => SECONDS.test(base)

/** Slash and colon as maildir(5) has it; the comma would end the unique part. */
function escapeHost(host: string): string {
  const plain = host.replace(/[^!-~]/g, '_')
  const escaped = plain.replace(/[/:,]/g, (c) => `\\0${c.charCodeAt(0).toString(8)}`)
  return escaped.slice(0, MAX_HOST) || 'localhost'
}
