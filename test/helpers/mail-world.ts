/** Domains, mailboxes and messages on a real disk, with everything that stands behind a protocol. */
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalCourier } from '../../src/courier/local.js'
import { RoutingCourier } from '../../src/courier/routing.js'
import { MemoryLocks } from '../../src/locks/memory.js'
import { parseAddress, type Address } from '../../src/mail/address.js'
import type { Envelope } from '../../src/mail/envelope.js'
import { DirectQueue } from '../../src/queue/direct.js'
import { Maildirs } from '../../src/store/maildirs.js'
import { plant, type Tree, type World } from './domain-tree.js'

export async function mailWorld(world: World) {
  const tree = await plant(world)
  const { directory } = tree
  const store = new Maildirs({
    home: (user) => directory.mailboxPath(user),
    roots: () => [tree.root],
    host: 'mx.example',
    reserveBytes: 0,
  })
  const locks = new MemoryLocks()
  const courier = new RoutingCourier(directory, { mailbox: new LocalCourier(store) })
  return { tree, directory, store, locks, courier, queue: new DirectQueue(courier) }
}

export function addressOf(text: string): Address {
  const address = parseAddress(text)
  if (address === null) throw new Error(`${text} is no address`)
  return address
}

export function envelopeOf(from: string | null, ...to: readonly string[]): Envelope {
  return {
    id: 'E1',
    from: from === null ? null : addressOf(from),
    to: to.map(addressOf),
    client: { address: '192.0.2.7', helo: 'client', secure: false, user: null },
    declaredSize: null,
    smtputf8: false,
    eightBit: false,
    requireTls: false,
  }
}

/** The new messages in a mailbox, as they lie on the disk; none if there is no mailbox. */
export async function mailIn(tree: Tree, domain: string, folder: string): Promise<string[]> {
  const path = join(tree.root, domain, folder, 'new')
  const names = await readdir(path).catch(() => [])
  return Promise.all(names.map((name) => readFile(join(path, name), 'utf8')))
}
