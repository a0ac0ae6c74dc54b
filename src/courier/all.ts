/** Every courier of a server, by the kind of place that it knows. */
import type { Log } from '../log/log.js'
import type { Folders, Store } from '../store/store.js'
import { DiscardCourier } from './discard.js'
import { FileCourier } from './file.js'
import { LmtpCourier } from './lmtp.js'
import { LocalCourier } from './local.js'
import { MaildirCourier } from './maildir.js'
import type { DirectoryOf } from './owner.js'
import { PipeCourier } from './pipe.js'
import type { Couriers } from './routing.js'

export interface CourierParts {
  readonly store: Store
  readonly folders: Folders
  readonly directoryOf: DirectoryOf
  /** What we call ourselves. */
  readonly hostname: string
  readonly log: Log
}

/** Remote addresses have no courier: they wait at the sender until there is a relay. */
export function makeCouriers(parts: CourierParts): Couriers {
  const { store, folders, directoryOf, hostname, log } = parts
  return {
    mailbox: new LocalCourier(store),
    program: new PipeCourier({ directoryOf, log }),
    file: new FileCourier({ directoryOf, log }),
    maildir: new MaildirCourier(folders, directoryOf),
    lmtp: new LmtpCourier({ hostname, log }),
    discard: new DiscardCourier(log),
  }
}
