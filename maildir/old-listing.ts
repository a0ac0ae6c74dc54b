/**
 * What clients of another POP3 server know of a Maildir: its messages by the
 * order of that server's listing, with their ids and their real sizes. Waits
 * for the disk; changes nothing.
 */
import fs from 'node:fs'
import type { Places } from './maildir.js'
import { look, pathOf } from './scan.js'
import { Sizes } from './sizes.js'
import { type ForeignFile, knownToQmail, knownToTwisted } from './name-ids.js'
import {
  COURIER_FILE,
  COURIER_IMAP_FILE,
  knownToCourier,
  knownToCourierImap,
} from './courier-ids.js'
import { knownToDovecot } from './dovecot-ids.js'
import { DOVECOT_FILE } from './dovecot-uidlist.js'
import { ForeignFault, type KnownMessage } from './foreign.js'

/** A state file of a million messages is smaller. */
const MAX_OCTETS = 400_000_000
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants

/** Servers whose ids can be taken over. */
export const FOREIGN_SERVERS = ['dovecot', 'courier', 'qmail', 'twisted'] as const
export type ForeignServer = (typeof FOREIGN_SERVERS)[number]

/** A message of the Maildir. */
export interface OldMessage extends KnownMessage {
  /** Its file, such as `cur/name:2,S`, a character per octet. */
  readonly place: string
  /** Octets on the wire, counted. */
  readonly size: number
}

export interface OldListing {
  /** By the order of the other server's listing. */
  readonly known: readonly OldMessage[]
  /** Those that no client has seen yet, oldest name first; their `uid` is empty. */
  readonly unknown: readonly OldMessage[]
}

export interface ForeignOptions {
  /** Dovecot's `pop3_uidl_format`; its default if left out. */
  readonly uidlFormat?: string
}

/** @throws ForeignFault, NotAMaildir, or the system's error */
export async function oldListing(
  maildir: string,
  server: ForeignServer,
  options: ForeignOptions = {},
): Promise<OldListing> {
  const places = await look(maildir)
  return listingOf(maildir, places, knownTo(server, maildir, places, options))
}

/** A Maildir that no POP3 server has shown to anybody. @throws NotAMaildir, or the system's error */
export async function plainListing(maildir: string): Promise<OldListing> {
  return listingOf(maildir, await look(maildir), [])
}

function listingOf(maildir: string, places: Places, known: readonly KnownMessage[]): OldListing {
  const owner = fs.lstatSync(maildir).uid
  const sizes = new Sizes({ path: maildir, owner, places }, null)
  const message = ({ base, uid }: KnownMessage): OldMessage[] => {
    const size = places.has(base) ? sizes.of(base) : null
    return size === null ? [] : [{ base, uid, place: places.get(base)![0]!, size }]
  }
  const seen = new Set(known.map(({ base }) => base))
  const rest = [...places.keys()].filter((base) => !seen.has(base)).toSorted()
  return {
    known: known.flatMap(message),
    unknown: rest.flatMap((base) => message({ base, uid: '' })),
  }
}

function knownTo(
  server: ForeignServer,
  maildir: string,
  places: Places,
  { uidlFormat }: ForeignOptions,
): readonly KnownMessage[] {
  if (server === 'qmail') return knownToQmail(filesOf(maildir, places))
  if (server === 'twisted') return knownToTwisted(filesOf(maildir, places))
  if (server === 'dovecot') return knownToDovecot(stateFile(maildir, DOVECOT_FILE), uidlFormat)
  // Made at the first login by POP3; without it no client has seen anything.
  if (fs.existsSync(`${maildir}/${COURIER_FILE}`))
    return knownToCourier(stateFile(maildir, COURIER_FILE))
  return knownToCourierImap(stateFile(maildir, COURIER_IMAP_FILE))
}

/** @throws ForeignFault when it is missing: that is no Maildir of that server, or not all of it */
function stateFile(maildir: string, name: string): string {
  const path = `${maildir}/${name}`
  if (!fs.existsSync(path)) throw new ForeignFault(`${path}: no such file; is that the Maildir?`)
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stats = fs.fstatSync(fd)
    if (!stats.isFile()) throw new ForeignFault(`${path}: not a regular file`)
    if (stats.size > MAX_OCTETS) throw new ForeignFault(`${path}: too large`)
    return fs.readFileSync(fd, 'latin1')
  } finally {
    fs.closeSync(fd)
  }
}

function filesOf(maildir: string, places: Places): ForeignFile[] {
  return Array.from(places.values(), ([place]) => {
    const stats = fs.lstatSync(pathOf(maildir, place!))
    return {
      name: place!.slice(place!.indexOf('/') + 1),
      seconds: Math.floor(stats.mtimeMs / 1000),
    }
  })
}
