/**
 * The parts of a server that a dry run has as well, put together the same way
 * for both. Like server.ts it decides nothing.
 */
import { join } from 'node:path'
import { knownUsers } from './checkers/checkers.js'
import type { Config } from './config/config.js'
import { makeCouriers } from './courier/all.js'
import type { Couriers } from './courier/routing.js'
import type { Realm } from './cred/realm.js'
import type { Directory } from './directory/directory.js'
import { Elsewhere } from './directory/elsewhere.js'
import { FilesDirectory } from './directory/files.js'
import { key } from './directory/key.js'
import type { Filter } from './filter/filter.js'
import { Filters, type FiltersOptions } from './filter/filters.js'
import type { Locks } from './locks/locks.js'
import type { Log } from './log/log.js'
import type { Address } from './mail/address.js'
import type { Avatars } from './mail/avatars.js'
import type { Queue } from './queue/queue.js'
import { PacedRealm } from './realm/paced.js'
import { MailRealm } from './realm/realm.js'
import { MaildirFolders } from './store/folders.js'
import { Maildirs } from './store/maildirs.js'
import type { Store } from './store/store.js'

/** Octets that mail never takes from the disk: room for logs, and for an admin to work. */
export const RESERVE_BYTES = 64 * 1024 * 1024

/** The Maildir of a user, whether it is there or not; `null` if there can be none. */
export function homeOf({ domains }: Config, { local, domain }: Address): string | null {
  const path = domains[domain]?.path
  const name = key(local)
  return path === undefined || name === null ? null : join(path, name)
}

/** The directories under which mail lies. */
export function rootsOf({ domains }: Config): readonly string[] {
  return Object.values(domains).map(({ path }) => path)
}

/** Parts that a program may bring instead of those that the config names. */
export interface Parts {
  readonly directory?: Directory
  readonly store?: (store: Store) => Store
}

/** What is behind the sessions in every process that has some, and behind the spool. */
export interface Stock {
  readonly files: FilesDirectory
  /** The files, unless a program brought something else. */
  readonly directory: Directory
  readonly store: Store
}

/** @param config as it is now: a reload changes it */
export function stockOf(config: () => Config, log: Log, parts: Parts = {}): Stock {
  const files = new FilesDirectory({ ...config(), log })
  files.askAlso(new Elsewhere(knownUsers(config().auth, files)))
  const store = new Maildirs({
    home: (user) => homeOf(config(), user),
    roots: () => rootsOf(config()),
    host: config().hostname,
    reserveBytes: RESERVE_BYTES,
    keepsDeleted: () => config().mailboxes.trashMs !== null,
    log,
  })
  return { files, directory: parts.directory ?? files, store: parts.store?.(store) ?? store }
}

/** @param greylist who remembers, if it is not this process */
export function filtersFor(
  { filter, state, hostname }: Config,
  log: Log,
  greylist?: FiltersOptions['greylist'],
): Filters {
  const options = { state, hostname, log }
  return new Filters(filter, greylist === undefined ? options : { ...options, greylist })
}

export interface CourierParts {
  /** As it is now: a reload changes it. */
  readonly config: () => Config
  readonly store: Store
  readonly log: Log
}

/** Whoever brings mail to the places that an address leads to. */
export function couriersOf({ config, store, log }: CourierParts): Couriers {
  const { hostname } = config()
  return makeCouriers({
    store,
    folders: new MaildirFolders(hostname),
    directoryOf: (domain) => config().domains[domain]?.path ?? null,
    hostname,
    log,
  })
}

export interface RealmParts {
  /** As it is now: a reload changes it. */
  readonly config: () => Config
  readonly directory: Directory
  readonly store: Store
  readonly queue: Queue
  readonly locks: Locks
  readonly filter: Filter
  /** True if mail for other domains can leave from here. */
  readonly relays: () => boolean
}

/** What clients get, by who they are and by the rules of the config. */
export function realmOf({ config, ...parts }: RealmParts): Realm<Avatars> {
  const takeoverMs = () => config().pop3.takeoverAfter * 1000 || Infinity
  const rules = {
    anySender: () => config().submission.anySender,
    hostname: config().hostname,
  }
  return new PacedRealm(new MailRealm({ ...parts, rules, takeoverMs }), {
    delay: () => config().pop3.loginDelay,
  })
}
